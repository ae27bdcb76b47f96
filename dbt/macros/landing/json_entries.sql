{#- A lateral join on the text of a JSON object: gives each `name`, with its `value` as text (null for JSON's null) and
    as the JSON that it is (`value_json`). -#}
{% macro json_entries(column) -%}
    {{ return(adapter.dispatch('json_entries', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__json_entries(column) -%}
    lateral (
        select entry.key as name, entry.value #>> '{}' as value, cast(entry.value as text) as value_json
        from jsonb_each(cast({{ column }} as jsonb)) as entry
    ) as entries
{%- endmacro %}

{% macro duckdb__json_entries(column) -%}
    lateral (
        select
            entry.key as name,
            json_extract_string(entry.value, '$') as value,
            cast(entry.value as varchar) as value_json
        from json_each({{ column }}) as entry
    ) as entries
{%- endmacro %}
