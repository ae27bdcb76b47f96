{#- True when a text ends with another; capitals don't matter. -#}
{% macro ends_with(column, text) -%}
    {%- set sought = 'lower(' ~ text_told('ends_with', text) ~ ')' -%}
    ((right(lower({{ column }}), length({{ sought }})) = {{ sought }}) is true)
{%- endmacro %}
