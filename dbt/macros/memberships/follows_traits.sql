{#- Whether nobody enters or leaves an audience but by a change of her own traits or fields: its SQL reads these alone,
    calls no macro that could read the clock, and asks for nothing that is looked up when it is asked for. -#}
{% macro follows_traits(audience) -%}
    {%- if not execute or var('deploying') or model.resource_type == 'unit_test' -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set node = graph.nodes['model.perennial.' ~ audience] -%}
    {%- set others = node.depends_on.nodes
        | reject('in', ['model.perennial.customer_traits', 'model.perennial.dim_customers']) | list -%}
    {#- the hook that every model has -#}
    {%- set macros = node.depends_on.macros | reject('equalto', 'macro.perennial.record_cursor') | list -%}
    {{ return(
        others | length == 0 and macros | length == 0 and 'recommended_products' not in node.raw_code
        and 'next_change_at' not in node.raw_code
    ) }}
{%- endmacro %}
