{#- True when a yes-or-no trait is yes. -#}
{% macro is_true(column) -%}
    (({{ column }}) is true)
{%- endmacro %}
