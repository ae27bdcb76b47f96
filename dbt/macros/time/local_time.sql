{#- A UTC timestamp as the local time of a zone. -#}
{% macro local_time(column, zone) -%}
    cast((({{ column }}) at time zone 'UTC') at time zone {{ zone }} as timestamp)
{%- endmacro %}
