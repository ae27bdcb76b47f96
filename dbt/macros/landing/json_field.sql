{#- One field of a record that `json_record` made, as a type. -#}
{% macro json_field(record, name, type='varchar') -%}
    {{ return(adapter.dispatch('json_field', 'perennial')(record, name, type)) }}
{%- endmacro %}

{% macro default__json_field(record, name, type) -%}
    cast({{ record }} ->> '{{ name }}' as {{ type }})
{%- endmacro %}

{% macro duckdb__json_field(record, name, type) -%}
    {%- if type == 'varchar' -%} {{ record }}."{{ name }}"
    {%- else -%} try_cast({{ record }}."{{ name }}" as {{ type }})
    {%- endif -%}
{%- endmacro %}
