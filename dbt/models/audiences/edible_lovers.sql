select customer_id
from {{ ref('customer_traits') }}
where favourite_category = 'Edibles'
