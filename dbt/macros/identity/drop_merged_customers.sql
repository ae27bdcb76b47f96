{#- Take away the people who have become part of others in this build. -#}
{% macro drop_merged_customers() -%}
    delete from {{ this }}
    where customer_id in (
        select previous_customer_id from {{ ref('int_identity__map') }}
        where changed_build_no = {{ build_no() }} and previous_customer_id is not null
    )
    and customer_id not in (select customer_id from {{ ref('int_identity__map') }})
{%- endmacro %}
