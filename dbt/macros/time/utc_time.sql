{#- A local time of a zone as UTC timestamp. -#}
{% macro utc_time(column, zone) -%}
    cast((({{ column }}) at time zone {{ zone }}) at time zone 'UTC' as timestamp)
{%- endmacro %}
