{#- True when the local date of a time is later than a date; with an instant, when the time is later than that. -#}
{% macro after(column, told, zone=none, person=none, status=none) -%}
    {%- call(value) holds(column, person, status) -%} {{ compared('after', value, '>', told, zone) }} {%- endcall -%}
{%- endmacro %}
