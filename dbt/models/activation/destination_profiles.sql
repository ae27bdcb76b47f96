{#- Whom a destination may know, with what it may know of her. -#}
select
    destination,
    customer_id,
    case when may_email then email end as email,
    case when may_phone then phone end as phone,
    flowhub_customer_id,
    traits,
    fingerprint,
    changed_build_no
from {{ ref('int_destination_profiles') }}
where (may_email or may_phone) and traits <> '{}'
