{#- Where a store is: at the centre of its postal code. Flowhub tells no nearer place. -#}
with

postal_codes as (

    select * from {{ ref('postal_codes') }}

),

versions as (

    select
        store_id,
        cast(null as varchar) as country,
        postal_code,
        row_number() over (partition by store_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_flowhub__locations') }}

)

select
    versions.store_id,
    postal_codes.latitude,
    postal_codes.longitude
from versions
{{ join_postal_code('versions') }}
where versions.recency = 1
