{#- A lateral join on a list that `json_record` took from a JSON array: gives `element`, a record whose fields
    `json_field` reads, and `element_no` from 1. -#}
{% macro json_elements(column) -%}
    {{ return(adapter.dispatch('json_elements', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__json_elements(column) -%}
    lateral jsonb_array_elements(coalesce(cast({{ column }} as jsonb), '[]')) with ordinality as elements (element, element_no)
{%- endmacro %}

{% macro duckdb__json_elements(column) -%}
    lateral (select unnest({{ column }}) as element, generate_subscripts({{ column }}, 1) as element_no) as elements
{%- endmacro %}
