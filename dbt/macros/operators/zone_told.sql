{#- The zone in which an operator counts days: SQL such as a column, else the zone of the company. -#}
{% macro zone_told(zone) -%}
    {{ zone if zone is not none else "'" ~ var('time_zone') ~ "'" }}
{%- endmacro %}
