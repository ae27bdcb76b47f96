{#- The first of some texts that is a time, as a UTC timestamp: an ISO 8601 date or time, or unix seconds; null where none
    is. Each engine reads more than that, and not the same: so the form is looked at first. -#}
{% macro time_said(texts) -%}
    {%- set day = '^[12][0-9]{3}-[0-9]{2}-[0-9]{2}' -%}
    {%- set time = '[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?' -%}
    {%- set zone = '( ?(Z|UTC|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?))?' -%}
    coalesce(
        {%- for text in texts %}
        case
            when {{ matches('upper(' ~ text ~ ')', day ~ '(' ~ time ~ zone ~ ')?$') }} then {{ utc_timestamp(text) }}
            else {{ epoch_timestamp(text) }}
        end,
        {%- endfor %}
        null
    )
{%- endmacro %}
