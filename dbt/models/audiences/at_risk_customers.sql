select customer_id
from {{ ref('customer_traits') }}
where lifecycle_stage = 'at_risk'
