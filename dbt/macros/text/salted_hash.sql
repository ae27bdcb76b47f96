{#- What stands for a text in an erasure: SHA-256 of the home's salt and the text, in hexadecimal. -#}
{% macro salted_hash(salt, expression) -%}
    {{ return(adapter.dispatch('salted_hash', 'perennial')(salt, expression)) }}
{%- endmacro %}

{% macro default__salted_hash(salt, expression) -%}
    encode(sha256(convert_to({{ salt }} || ':' || {{ expression }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro duckdb__salted_hash(salt, expression) -%}
    sha256({{ salt }} || ':' || {{ expression }})
{%- endmacro %}
