{#- True when a number is greater than another. -#}
{% macro more_than(column, number) -%}
    (({{ column }} > {{ number_told('more_than', number) }}) is true)
{%- endmacro %}
