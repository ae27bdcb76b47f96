select customer_id
from {{ ref('customer_traits') }}
where recency_score >= 4
    and frequency_score >= 4
    and monetary_score >= 4
