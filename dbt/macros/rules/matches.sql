{#- Whether a text matches a regular expression anywhere. -#}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches', 'perennial')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} ~ '{{ pattern }}'
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}
