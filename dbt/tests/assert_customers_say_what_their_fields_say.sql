-- Returns rows when `dim_customers` says other of a person than `customer_fields`, or only one of the two knows her.
{%- set fields = ['full_name', 'email', 'phone', 'birth_date', 'street_address', 'city', 'postal_code', 'state',
                  'country', 'programme', 'is_loyal', 'tags', 'flowhub_customer_id'] -%}
{#- what a person is where none of her records tells -#}
{%- set untold = {'country': "'US'", 'programme': "'unknown'", 'is_loyal': "'false'"} %}
with told as (

    select
        customer_id,
        {%- for field in fields %}
        max(case when field = '{{ field }}' then value end) as {{ field }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('customer_fields') }}
    group by customer_id

)

select coalesce(customers.customer_id, told.customer_id) as customer_id
from {{ ref('dim_customers') }} as customers
full outer join told on customers.customer_id = told.customer_id
where
    customers.customer_id is null
    {%- for field in fields %}
    or cast(customers.{{ field }} as varchar)
    is distinct from coalesce(told.{{ field }}, {{ untold.get(field, 'null') }})
    {%- endfor %}
