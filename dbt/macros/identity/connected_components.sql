{#- The statements of a recursive `components (id, component)`: the smallest id that each id of `edges (a, b)`, given in
    both directions, is joined to. Used on the few records of the components that changed. -#}
{% macro connected_components(nodes, edges) -%}
    {{ return(adapter.dispatch('connected_components', 'perennial')(nodes, edges)) }}
{%- endmacro %}

{% macro default__connected_components(nodes, edges) -%}
reached (id, component) as (

    select id, id from {{ nodes }}
    union
    select {{ edges }}.b, reached.component
    from reached
    inner join {{ edges }} on reached.id = {{ edges }}.a

),

components as (

    select id, min(component) as component from reached group by id

)
{%- endmacro %}

{% macro duckdb__connected_components(nodes, edges) -%}
reached (id, component) using key (id) as (

    select id, id from {{ nodes }}
    union
    select nearer.id, min(further.component)
    from recurring.reached as nearer
    inner join {{ edges }} on nearer.id = {{ edges }}.b
    inner join reached as further on {{ edges }}.a = further.id
    where further.component < nearer.component
    group by nearer.id

),

components as (

    select id, component from reached

)
{%- endmacro %}
