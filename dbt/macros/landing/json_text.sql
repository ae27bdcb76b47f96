{#- The text at a path of a JSON column, such as ['totals', 'finalTotal']; null where there is none. -#}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text', 'perennial')(column, path)) }}
{%- endmacro %}

{% macro default__json_text(column, path) -%}
    cast({{ column }} as jsonb) #>> '{ {{- path | join(',') -}} }'
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%}
    json_extract_string({{ column }}, '$."{{ path | join('"."') }}"')
{%- endmacro %}
