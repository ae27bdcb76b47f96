{#- True when the local date of a time is a date; with an instant, when the time is that. -#}
{% macro on(column, told, zone=none, person=none, status=none) -%}
    {%- call(value) holds(column, person, status) -%} {{ compared('on', value, '=', told, zone) }} {%- endcall -%}
{%- endmacro %}
