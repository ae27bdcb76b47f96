{#- The whole days of 24 hours from one timestamp to a later one. -#}
{% macro days_between(earlier, later) -%}
    cast(floor(extract(epoch from ({{ later }} - {{ earlier }})) / 86400) as integer)
{%- endmacro %}
