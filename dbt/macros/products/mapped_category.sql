{#- The category of goods: that of the first field with a row in the seed, in the order custom category, type, category.
    Where none has one the store's own word stays, so that nothing is lost; a species is no category. -#}
{% macro mapped_category(custom_category, product_type, main_category) -%}
    coalesce(
        custom_category_mapping.category,
        type_mapping.category,
        category_mapping.category,
        trim({{ custom_category }}),
        case
            when lower(trim({{ product_type }})) not in (select lower(spelling) from {{ ref('strain_types') }})
                then trim({{ product_type }})
        end,
        trim({{ main_category }}),
        'Uncategorized'
    )
{%- endmacro %}
