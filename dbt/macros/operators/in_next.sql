{#- True when a time is to come, in at most so many units. -#}
{% macro in_next(column, n, unit, zone=none, person=none, status=none) -%}
    {%- call(value) holds(column, person, status) -%}
    {{ value }} > {{ as_of() }} and {{ value }} <= {{ window_edge('in_next', '+', n, unit, zone) }}
    {%- endcall -%}
{%- endmacro %}
