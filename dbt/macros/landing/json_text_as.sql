{#- The value at a path of a JSON column as a type; null where it is missing or of another type. -#}
{% macro json_text_as(column, path, type) -%}
    {{ return(adapter.dispatch('json_text_as', 'perennial')(column, path, type)) }}
{%- endmacro %}

{% macro default__json_text_as(column, path, type) -%}
    case when pg_input_is_valid({{ json_text(column, path) }}, '{{ type }}')
        then cast({{ json_text(column, path) }} as {{ type }}) end
{%- endmacro %}

{% macro duckdb__json_text_as(column, path, type) -%}
    try_cast({{ json_text(column, path) }} as {{ type }})
{%- endmacro %}
