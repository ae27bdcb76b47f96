{#- True for enrollments that are about a single product of a store: a message about several is worth sending while any of
    them is left. -#}
{% macro is_about_one_product(enrollments) -%}
    ({{ enrollments }}.object_type = 'product'
        and {{ json_text(enrollments ~ '.context', ['product_count']) }} = '1')
{%- endmacro %}
