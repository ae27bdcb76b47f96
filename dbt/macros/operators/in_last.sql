{#- True when a time is at most so many units ago, and not to come. -#}
{% macro in_last(column, n, unit, zone=none, person=none, status=none) -%}
    {%- call(value) holds(column, person, status) -%}
    {{ value }} >= {{ window_edge('in_last', '-', n, unit, zone) }} and {{ value }} <= {{ as_of() }}
    {%- endcall -%}
{%- endmacro %}
