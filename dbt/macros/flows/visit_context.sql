{#- What every message about a visit to a store gets, under the same keys; `more` is what one flow adds. -#}
{% macro visit_context(more={}) -%}
    {%- set context = {
        'store_name': 'store_name', 'budtender': json_text('properties', ['budtender']),
        'visit_id': json_text('properties', ['visit_id']),
    } -%}
    {%- do context.update(more) -%}
    {{ return(context) }}
{%- endmacro %}
