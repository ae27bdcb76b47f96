{#- True when a trait has no value. -#}
{% macro is_unknown(column) -%}
    (({{ column }}) is null)
{%- endmacro %}
