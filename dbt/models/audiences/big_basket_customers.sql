select customer_id
from {{ ref('customer_traits') }}
where average_order_value >= {{ var('big_basket_order_value') }}
