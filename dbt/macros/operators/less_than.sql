{#- True when a number is smaller than another. -#}
{% macro less_than(column, number) -%}
    (({{ column }} < {{ number_told('less_than', number) }}) is true)
{%- endmacro %}
