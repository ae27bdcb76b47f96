{#- True when the local date of a time is earlier than a date; with an instant, when the time is earlier than that. -#}
{% macro before(column, told, zone=none, person=none, status=none) -%}
    {%- call(value) holds(column, person, status) -%} {{ compared('before', value, '<', told, zone) }} {%- endcall -%}
{%- endmacro %}
