{#- A text as a type; null where it is not one, such as a custom event's amount of `about ten`. -#}
{% macro text_as(column, type) -%}
    {{ return(adapter.dispatch('text_as', 'perennial')(column, type)) }}
{%- endmacro %}

{% macro default__text_as(column, type) -%}
    case when pg_input_is_valid({{ column }}, '{{ type }}') then cast({{ column }} as {{ type }}) end
{%- endmacro %}

{% macro duckdb__text_as(column, type) -%}
    try_cast({{ column }} as {{ type }})
{%- endmacro %}
