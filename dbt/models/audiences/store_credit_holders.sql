select customer_id
from {{ ref('customer_traits') }}
where store_credit > 0
