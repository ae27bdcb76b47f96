{#- The date that a UTC timestamp falls on in a zone. -#}
{% macro local_date(column, zone=none) -%}
    cast({{ local_time('cast(' ~ column ~ ' as timestamp)', zone_told(zone)) }} as date)
{%- endmacro %}
