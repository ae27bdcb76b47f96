-- Returns rows when more known records were joined to one person than the circuit breaker lets a load join.
select
    customer_id,
    count(*) as record_count
from {{ ref('int_identity__map') }}
where {{ is_known_record("split_part(node, ':', 1)") }}
group by customer_id
having count(*) > {{ var('identity_max_records') }}
