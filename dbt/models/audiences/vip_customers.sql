select customer_id
from {{ ref('customer_traits') }}
where spend_365d >= {{ var('vip_spend_365d') }}
