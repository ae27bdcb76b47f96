{#- A text as a JSON string. -#}
{% macro json_value(column) -%}
    {{ return(adapter.dispatch('json_value', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__json_value(column) -%}
    cast(to_json(cast({{ column }} as text)) as text)
{%- endmacro %}

{% macro duckdb__json_value(column) -%}
    cast(to_json({{ column }}) as varchar)
{%- endmacro %}
