select customer_id
from {{ ref('customer_traits') }}
where carts_abandoned_7d > 0
