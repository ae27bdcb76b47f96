{#- Build a JSON object, as text, from a mapping of key to SQL expression. -#}
{% macro json_object(fields) -%}
    {{ return(adapter.dispatch('json_object', 'perennial')(fields)) }}
{%- endmacro %}

{% macro default__json_object(fields) -%}
    cast(json_build_object({% for key, expression in fields.items() -%}
        '{{ key }}', {{ expression }}{{ ', ' if not loop.last }}
    {%- endfor %}) as text)
{%- endmacro %}

{% macro duckdb__json_object(fields) -%}
    cast(json_object({% for key, expression in fields.items() -%}
        '{{ key }}', {{ expression }}{{ ', ' if not loop.last }}
    {%- endfor %}) as varchar)
{%- endmacro %}
