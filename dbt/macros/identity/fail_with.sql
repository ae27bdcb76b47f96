{#- Let the statement that evaluates it fail with a message, and so change nothing; of type boolean. -#}
{% macro fail_with(message) -%}
    {{ return(adapter.dispatch('fail_with', 'perennial')(message)) }}
{%- endmacro %}

{% macro default__fail_with(message) -%}
    {#- an error that carries a text: what can't be cast is quoted -#}
    cast({{ message }} as boolean)
{%- endmacro %}

{% macro duckdb__fail_with(message) -%}
    cast(error({{ message }}) as boolean)
{%- endmacro %}
