select customer_id
from {{ ref('customer_traits') }}
where cart_intent_score >= 50
