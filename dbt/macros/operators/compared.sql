{#- A time against a date or an instant: with a date its local date counts, with an instant itself. -#}
{% macro compared(operator, column, sign, told, zone=none) -%}
    {%- set time = time_told(operator, told) -%}
    {%- if 'date' in time -%}
    {{ local_date(column, zone) }} {{ sign }} {{ time.date }}
    {%- else -%}
    {{ column }} {{ sign }} {{ time.instant }}
    {%- endif -%}
{%- endmacro %}
