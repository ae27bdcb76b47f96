select customer_id
from {{ ref('customer_traits') }}
where frequency_score >= 4
