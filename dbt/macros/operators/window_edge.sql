{#- The instant so many units before (`-`) or after (`+`) the moment's. Seconds, minutes and hours are time that elapses. Days
    and longer are the calendar's: the zone's wall clock shows the same hour, a month that is too short its last day. An hour
    that the clock skips there counts from before the jump; of one that it shows twice it is the second. -#}
{% macro window_edge(operator, sign, n, unit, zone=none) -%}
    {%- set name = (unit ~ '') | lower | trim -%}
    {%- set name = name[:-1] if name.endswith('s') else name -%}
    {%- set seconds = {
        'second': 1, 'minute': 60, 'hour': 3600, 'day': 86400, 'week': 604800, 'month': 2678400, 'quarter': 7948800,
        'year': 31622400,
    } -%}
    {%- if name not in seconds -%}
    {{ wrong_operator(operator, "'" ~ unit ~ "' is no unit", 'Write one of ' ~ seconds | join('s, ') ~ 's') }}
    {%- elif not modules.re.match('[1-9][0-9]*$', n ~ '') -%}
    {{ wrong_operator(operator, "'" ~ n ~ "' is no number of " ~ name ~ 's', 'Write a whole number from 1') }}
    {%- elif (n | int) * seconds[name] > 100 * seconds.year -%}
    {{ wrong_operator(operator, n ~ ' ' ~ name ~ 's are more than a hundred years', 'Write a shorter window') }}
    {%- endif -%}
    {%- set whole = {'week': ['day', 7], 'quarter': ['month', 3], 'year': ['month', 12]}.get(name, [name, 1]) -%}
    {%- set step = sign ~ " interval '" ~ (n | int) * whole[1] ~ ' ' ~ whole[0] ~ "s'" -%}
    {%- if name in ('second', 'minute', 'hour') -%}
    ({{ as_of() }} {{ step }})
    {%- else -%}
    {{ utc_time(local_time(as_of(), zone_told(zone)) ~ ' ' ~ step, zone_told(zone)) }}
    {%- endif -%}
{%- endmacro %}
