select customer_id
from {{ ref('customer_traits') }}
where auto_orders_active > 0
