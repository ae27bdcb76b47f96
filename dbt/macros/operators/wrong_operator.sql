{#- Let the project not compile where an operator is given what it can't read. -#}
{% macro wrong_operator(operator, cause, fix) -%}
    {{ exceptions.raise_compiler_error(operator ~ ': ' ~ cause ~ '. ' ~ fix) }}
{%- endmacro %}
