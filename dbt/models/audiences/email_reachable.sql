select customer_id
from {{ ref('customer_traits') }}
where email_consent = 'opted_in'
