{#- The value at a path of a JSON column as a type; null where it is missing or of another type. -#}
{% macro json_text_as(column, path, type) -%}
    {{ return(adapter.dispatch('json_text_as', 'perennial')(column, path, type)) }}
{%- endmacro %}

{% macro default__json_text_as(column, path, type) -%}
    cast({{ json_text(column, path) }} as {{ type }})
{%- endmacro %}

{% macro duckdb__json_text_as(column, path, type) -%}
    try_cast({{ json_text(column, path) }} as {{ type }})
{%- endmacro %}
