{#- One field of a record that `json_record` made, as a type. -#}
{% macro json_field(record, name, type='varchar') -%}
    {{ return(adapter.dispatch('json_field', 'perennial')(record, name, type)) }}
{%- endmacro %}

{% macro default__json_field(record, name, type) -%}
    {%- set text = '(' ~ record ~ " ->> '" ~ name ~ "')" -%}
    {%- if type == 'varchar' -%} cast({{ text }} as varchar)
    {%- else -%} {{ text_as(text, type) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__json_field(record, name, type) -%}
    {%- if type == 'varchar' -%} {{ record }}."{{ name }}"
    {%- else -%} try_cast({{ record }}."{{ name }}" as {{ type }})
    {%- endif -%}
{%- endmacro %}
