select customer_id
from {{ ref('customer_traits') }}
where refunds_365d >= 3
