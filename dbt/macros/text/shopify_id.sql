{#- A Shopify id as its number, as text: `gid://shopify/Customer/1` and `1` are the same customer. -#}
{% macro shopify_id(column) -%}
    nullif(regexp_replace({{ column }}, '^.*/', ''), '')
{%- endmacro %}
