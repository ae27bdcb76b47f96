{#- Unix seconds, as text, as a UTC timestamp; null where the text is no number. -#}
{% macro epoch_timestamp(column) -%}
    {{ return(adapter.dispatch('epoch_timestamp', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__epoch_timestamp(column) -%}
    case when {{ column }} ~ '^[0-9]{9,11}$'
        then cast(to_timestamp(cast({{ column }} as bigint)) at time zone 'UTC' as timestamp) end
{%- endmacro %}

{% macro duckdb__epoch_timestamp(column) -%}
    case when regexp_full_match({{ column }}, '[0-9]{9,11}')
        then make_timestamp(cast({{ column }} as bigint) * 1000000) end
{%- endmacro %}
