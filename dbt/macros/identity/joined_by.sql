{#- The statements of a recursive `<name> (id, component)`: what `ties (component, tie)` join. A tie that n hold is n - 1
    edges to the smallest of them. -#}
{% macro joined_by(name, ties) -%}
{{ name }}_star as (

    select distinct
        min(component) over (partition by tie) as hub,
        component as spoke
    from {{ ties }}

),

{{ name }}_edges as (

    select hub as a, spoke as b from {{ name }}_star where hub <> spoke
    union
    select spoke as a, hub as b from {{ name }}_star where hub <> spoke

),

{{ name }}_nodes as (

    select distinct component as id from {{ ties }}

),

{{ connected_components(name, name ~ '_nodes', name ~ '_edges') }}
{%- endmacro %}
