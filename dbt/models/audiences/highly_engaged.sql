select customer_id
from {{ ref('customer_traits') }}
where engagement_score >= 60
