{#- Join the seed `category_mapping` once for each field of a relation that a category may come from: the custom category,
    the type, the category. Read the result with `mapped_category`. -#}
{% macro join_category_mapping(custom_category, product_type, main_category) -%}
    {%- set fields = {'custom_category': custom_category, 'type': product_type, 'category': main_category} -%}
    {%- for field, column in fields.items() %}
    left join {{ ref('category_mapping') }} as {{ field }}_mapping
        on {{ field }}_mapping.field = '{{ field }}' and lower({{ field }}_mapping.spelling) = lower(trim({{ column }}))
    {%- endfor %}
{%- endmacro %}
