{#- True when a number is another. -#}
{% macro exactly(column, number) -%}
    (({{ column }} = {{ number_told('exactly', number) }}) is true)
{%- endmacro %}
