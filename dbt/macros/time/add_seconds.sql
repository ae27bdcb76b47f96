{#- A timestamp moved by a number of seconds that stands in a column. -#}
{% macro add_seconds(column, seconds) -%}
    ({{ column }} + ({{ seconds }}) * interval '1 second')
{%- endmacro %}
