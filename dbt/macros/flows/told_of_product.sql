{#- What the sender of an event told of the product it is about, as a part of a context. -#}
{% macro told_of_product(more={}) -%}
    {%- set context = {} -%}
    {%- for name in ['product_id', 'product_name', 'brand', 'category', 'variant', 'price', 'url'] -%}
        {%- do context.update({name: json_text('properties', [name])}) -%}
    {%- endfor -%}
    {%- do context.update(more) -%}
    {{ return(context) }}
{%- endmacro %}
