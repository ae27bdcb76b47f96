select customer_id
from {{ ref('customer_traits') }}
where pricing_tiers is not null
