{#- An ISO 8601 text as a UTC timestamp; a text without an offset is read in `time_zone`; nonsense becomes null. -#}
{% macro utc_timestamp(column, time_zone='UTC') -%}
    {{ return(adapter.dispatch('utc_timestamp', 'perennial')('upper(' ~ column ~ ')', time_zone)) }}
{%- endmacro %}

{% macro default__utc_timestamp(column, time_zone) -%}
    case when pg_input_is_valid({{ column }}, 'timestamptz') then cast(
        case when {{ has_offset(column) }} then cast({{ column }} as timestamptz)
            else cast({{ column }} as timestamp) at time zone '{{ time_zone }}' end at time zone 'UTC' as timestamp
    ) end
{%- endmacro %}

{% macro duckdb__utc_timestamp(column, time_zone) -%}
    {#- a session reads what has no offset in UTC -#}
    {%- if time_zone == 'UTC' -%} cast(try_cast({{ column }} as timestamptz) as timestamp)
    {%- else -%}
    case when {{ has_offset(column) }} then cast(try_cast({{ column }} as timestamptz) as timestamp)
        else cast(timezone('{{ time_zone }}', try_cast({{ column }} as timestamp)) as timestamp) end
    {%- endif -%}
{%- endmacro %}
