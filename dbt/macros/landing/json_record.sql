{#- Parse a JSON object once into a record with the named fields; a field of another type, or none, becomes null.
    Malformed JSON gives a null record. Read the fields with `json_field`. -#}
{% macro json_record(column, fields) -%}
    {{ return(adapter.dispatch('json_record', 'perennial')(column, fields)) }}
{%- endmacro %}

{% macro default__json_record(column, fields) -%}
    case when pg_input_is_valid({{ column }}, 'jsonb') then cast({{ column }} as jsonb) end
{%- endmacro %}

{% macro duckdb__json_record(column, fields) -%}
    try(json_transform({{ column }}, '{{ tojson(fields) }}'))
{%- endmacro %}
