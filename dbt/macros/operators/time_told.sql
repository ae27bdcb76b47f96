{#- What an analyst wrote as date or instant: `{'date': …}` or `{'instant': …}`, each as a literal; an instant without an
    offset is UTC, like every time of the warehouse. -#}
{% macro time_told(operator, told) -%}
    {%- set text = (told ~ '') | trim -%}
    {%- set fix = "Write a date such as '2026-03-14', or an instant such as '2026-03-14T18:00:00Z'" -%}
    {%- set found = modules.re.match('([12][0-9]{3})-([0-9]{2})-([0-9]{2})([T ].+)?$', text) -%}
    {%- set clock = '[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?$' -%}
    {%- if not found or (found[4] and not modules.re.match(clock, found[4])) -%}
    {{ wrong_operator(operator, "'" ~ told ~ "' is no date", fix) }}
    {%- endif -%}
    {%- set year, month, day = found[1] | int, found[2] | int, found[3] | int -%}
    {%- set is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) -%}
    {%- set lengths = [0, 31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
    {%- if not 1 <= month <= 12 or not 1 <= day <= lengths[month] -%}
    {{ wrong_operator(operator, "'" ~ told ~ "' is no day of the calendar", fix) }}
    {%- endif -%}
    {%- if not found[4] -%}
    {{ return({'date': "date '" ~ text ~ "'"}) }}
    {%- endif -%}
    {%- set instant = modules.datetime.datetime.fromisoformat(text) -%}
    {%- set utc = (instant - instant.utcoffset() if instant.utcoffset() is not none else instant).replace(tzinfo=none) -%}
    {{ return({'instant': "timestamp '" ~ utc.isoformat(' ') ~ "'"}) }}
{%- endmacro %}
