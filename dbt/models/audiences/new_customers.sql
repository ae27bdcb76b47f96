select customer_id
from {{ ref('customer_traits') }}
where {{ in_last('first_order_at', 30, 'days') }}
