{#- A lateral join on a list of texts that `json_record` took from a JSON array: gives `element`, a text. -#}
{% macro json_values(column) -%}
    {{ return(adapter.dispatch('json_values', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__json_values(column) -%}
    lateral jsonb_array_elements_text(coalesce(cast({{ column }} as jsonb), '[]')) as elements (element)
{%- endmacro %}

{% macro duckdb__json_values(column) -%}
    lateral (select unnest({{ column }}) as element) as elements
{%- endmacro %}
