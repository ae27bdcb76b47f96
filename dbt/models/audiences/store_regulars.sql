select customer_id
from {{ ref('customer_traits') }}
where favourite_store_orders >= 5
    and lifecycle_stage = 'active'
