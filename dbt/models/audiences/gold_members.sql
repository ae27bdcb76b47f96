select customer_id
from {{ ref('customer_traits') }}
where lower(tier) = 'gold'
