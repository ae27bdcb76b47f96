{#- The subtype of goods, never null: the custom category where the setting
    FLOWHUB_MAP_CUSTOM_CATEGORY_TO_SUB_CATEGORY says so and there is one, else the type, else the category. -#}
{% macro mapped_subtype(custom_category, product_type, main_category) -%}
    coalesce(
        {%- if var('flowhub_map_custom_category_to_sub_category') %}
        nullif(trim({{ custom_category }}), ''),
        {%- endif %}
        nullif(trim({{ product_type }}), ''),
        nullif(trim({{ main_category }}), ''),
        'Uncategorized'
    )
{%- endmacro %}
