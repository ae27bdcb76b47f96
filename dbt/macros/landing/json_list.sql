{#- A lateral join on the text of a JSON list of texts: gives each `element`. -#}
{% macro json_list(column) -%}
    {{ return(adapter.dispatch('json_list', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__json_list(column) -%}
    lateral jsonb_array_elements_text(
        case when jsonb_typeof(cast({{ column }} as jsonb)) = 'array' then cast({{ column }} as jsonb) else '[]' end
    ) as elements (element)
{%- endmacro %}

{% macro duckdb__json_list(column) -%}
    lateral (
        select unnest(try(from_json({{ column }}, '["VARCHAR"]'))) as element
    ) as elements
{%- endmacro %}
