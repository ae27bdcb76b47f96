-- Returns rows when a person of `dim_customers` has no record in the map: she was merged away and is still written to.
select customers.customer_id
from {{ ref('dim_customers') }} as customers
where not exists (
    select 1
    from {{ ref('int_identity__map') }} as known
    where known.customer_id = customers.customer_id
)
