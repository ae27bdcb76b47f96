select customer_id
from {{ ref('customer_traits') }}
where points_balance > 0
