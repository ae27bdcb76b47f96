{#- A UTC timestamp as ISO 8601 text with its zone, whole seconds: what goes into a JSON and is read back alike. -#}
{% macro iso_utc(column) -%}
    {{ return(adapter.dispatch('iso_utc', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__iso_utc(column) -%}
    to_char({{ column }}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
{%- endmacro %}

{% macro duckdb__iso_utc(column) -%}
    strftime({{ column }}, '%Y-%m-%dT%H:%M:%SZ')
{%- endmacro %}
