{#- What every message about products gets, under the same keys: the one that it was decided for, and all that it is about. -#}
{% macro product_context(more={}) -%}
    {%- set context = {
        'product_id': 'product_id', 'product_name': 'product_name', 'brand': 'brand', 'category': 'category',
        'price': 'price', 'store_name': 'store_name', 'product_count': 'product_count', 'products': 'products',
    } -%}
    {%- do context.update(more) -%}
    {{ return(context) }}
{%- endmacro %}
