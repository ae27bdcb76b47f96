{#- A lateral join on the elements of a JSON array column: gives `element` (JSON) and `element_no` from 1. -#}
{% macro json_elements(column) -%}
    {{ return(adapter.dispatch('json_elements', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__json_elements(column) -%}
    lateral jsonb_array_elements(coalesce(cast({{ column }} as jsonb), '[]')) with ordinality as elements (element, element_no)
{%- endmacro %}

{% macro duckdb__json_elements(column) -%}
    lateral (
        select
            unnest(cast({{ column }} as json[])) as element,
            generate_subscripts(cast({{ column }} as json[]), 1) as element_no
    ) as elements
{%- endmacro %}
