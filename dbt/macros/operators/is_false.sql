{#- True when a yes-or-no trait is no; what is unknown is neither. -#}
{% macro is_false(column) -%}
    (({{ column }}) is false)
{%- endmacro %}
