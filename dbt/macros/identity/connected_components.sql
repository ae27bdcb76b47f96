{#- The statements of a recursive `<name> (id, component)`: the smallest id that each id of `edges (a, b)`, given in
    both directions, is joined to. For the few records of what changed; `all_components` is for everything. -#}
{% macro connected_components(name, nodes, edges) -%}
    {{ return(adapter.dispatch('connected_components', 'perennial')(name, nodes, edges)) }}
{%- endmacro %}

{% macro default__connected_components(name, nodes, edges) -%}
{{ name }}_reached (id, component) as (

    select id, id from {{ nodes }}
    union
    select {{ edges }}.b, {{ name }}_reached.component
    from {{ name }}_reached
    inner join {{ edges }} on {{ name }}_reached.id = {{ edges }}.a

),

{{ name }} as (

    select id, min(component) as component from {{ name }}_reached group by id

)
{%- endmacro %}

{% macro duckdb__connected_components(name, nodes, edges) -%}
{{ name }}_reached (id, component) using key (id) as (

    select id, id from {{ nodes }}
    union
    select nearer.id, min(further.component)
    from recurring.{{ name }}_reached as nearer
    inner join {{ edges }} on nearer.id = {{ edges }}.b
    inner join {{ name }}_reached as further on {{ edges }}.a = further.id
    where further.component < nearer.component
    group by nearer.id

),

{{ name }} as (

    select id, component from {{ name }}_reached

)
{%- endmacro %}
