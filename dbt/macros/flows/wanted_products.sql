{#- A product's news of one kind, once for each person whom it is for, with all that one message to her is about. -#}
{% macro wanted_products(event_name) -%}
    select * from {{ ref('int_product_recipients') }} where event_name = '{{ event_name }}'
{%- endmacro %}
