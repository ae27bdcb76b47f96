{#- True when a number lies between two others, or is one of them. -#}
{% macro in_range(column, lowest, highest) -%}
    {%- if number_told('in_range', lowest) | float > number_told('in_range', highest) | float -%}
    {{ wrong_operator('in_range', lowest ~ ' is more than ' ~ highest, 'Write the smaller one first') }}
    {%- endif -%}
    (({{ column }} between {{ lowest }} and {{ highest }}) is true)
{%- endmacro %}
