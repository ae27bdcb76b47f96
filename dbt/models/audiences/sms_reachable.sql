select customer_id
from {{ ref('customer_traits') }}
where sms_consent = 'opted_in'
