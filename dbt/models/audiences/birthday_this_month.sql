select traits.customer_id
from {{ ref('customer_traits') }} as traits
inner join {{ ref('dim_customers') }} as customers on traits.customer_id = customers.customer_id
where traits.birth_month = extract(month from {{ local_time(as_of(), 'customers.time_zone') }})
