{#- Every column of a relation but its payload, where the engine can say so; elsewhere the payload stays. -#}
{% macro without_payload(relation) -%}
    {{ return(adapter.dispatch('without_payload', 'perennial')(relation)) }}
{%- endmacro %}

{% macro default__without_payload(relation) -%}
    {{ relation }}.*
{%- endmacro %}

{% macro duckdb__without_payload(relation) -%}
    {{ relation }}.* exclude (payload)
{%- endmacro %}
