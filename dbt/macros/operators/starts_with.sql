{#- True when a text begins with another; capitals don't matter. -#}
{% macro starts_with(column, text) -%}
    {%- set sought = 'lower(' ~ text_told('starts_with', text) ~ ')' -%}
    ((left(lower({{ column }}), length({{ sought }})) = {{ sought }}) is true)
{%- endmacro %}
