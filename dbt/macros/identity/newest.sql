{#- The newest value of a field that is known, in a group of sightings; null where none is. -#}
{% macro newest(field) -%}
    {{ return(adapter.dispatch('newest', 'perennial')(field)) }}
{%- endmacro %}

{% macro default__newest(field) -%}
    (array_agg({{ field }} order by seq desc, row_no desc) filter (where {{ field }} is not null))[1]
{%- endmacro %}

{% macro duckdb__newest(field) -%}
    {#- five times cheaper than to sort all that each record ever showed -#}
    arg_max({{ field }}, (seq, row_no)) filter (where {{ field }} is not null)
{%- endmacro %}
