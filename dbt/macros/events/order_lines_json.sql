{#- The lines of a Flowhub order as a JSON list, in their order, with the same keys as `fct_order_lines`. -#}
{% macro order_lines_json(items) -%}
    coalesce((
        select '[' || string_agg({{ json_object(order_line('elements.element')) }}, ',' order by elements.element_no) || ']'
        from {{ json_elements(items) }}
        {{ join_category_mapping(
            'cast(null as varchar)', json_field('elements.element', 'type'), json_field('elements.element', 'category')
        ) }}
    ), '[]')
{%- endmacro %}
