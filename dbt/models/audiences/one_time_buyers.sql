select customer_id
from {{ ref('customer_traits') }}
where orders_count = 1
    and recency_score <= 4
