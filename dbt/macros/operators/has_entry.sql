{#- True when a list, such as `tags` or `pricing_tiers`, has a text among its entries. The list is the text of a JSON list. -#}
{% macro has_entry(column, entry) -%}
    {{ return(adapter.dispatch('has_entry', 'perennial')(column, text_told('has_entry', entry))) }}
{%- endmacro %}

{% macro default__has_entry(column, entry) -%}
    (jsonb_exists(cast({{ column }} as jsonb), {{ entry }}) is true)
{%- endmacro %}

{% macro duckdb__has_entry(column, entry) -%}
    (list_contains(try(from_json({{ column }}, '["VARCHAR"]')), {{ entry }}) is true)
{%- endmacro %}
