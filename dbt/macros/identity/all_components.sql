{#- Resolve everything at once: make a temporary table `into (id, component)` of the records that some link joins to others,
    and return its name. `links (record_key, link_key)` is a table or view: records with one `link_key` are one component. A
    record that is alone in all its links is absent; a component is named after one of its records, the same in every run
    over the same rows. Cost follows the number of links, whatever the shape of what they join: for all records at once.
    For the few that changed, `connected_components` is one statement.

    First a link on n records becomes n - 1 edges to the smallest of them (a star), so that links leave the graph. Then
    rounds: each record picks the smallest of itself and its neighbours, in an order that changes with the round
    (`id xor mask`; the exclusive or is its own inverse, so that the smallest tells which id it is), and the edges between the
    picked go on to the next round. At least a quarter of the records are picked away in a round on average, chains and hubs
    alike. At the end the picks are followed from the last round to the first.

    Call it before the statement that reads it:
    `{% set components = all_components(ref('…'), into='tier_1_components') %}` … `from {{ components }}`. -#}
{% macro all_components(links, into) -%}
    {%- if not execute -%} {{ return(into) }} {%- endif -%}
    {%- do run_query(replace_temporary(into ~ '_edges_1') ~ stars_of_links(links)) -%}
    {%- set reached = namespace(round=1, edges=rows_of(into ~ '_edges_1')) -%}
    {%- for round in range(1, 200) -%}
        {%- if reached.edges > 0 -%}
            {%- set edges, picks = into ~ '_edges_' ~ round, into ~ '_picks_' ~ round -%}
            {%- do run_query(replace_temporary(picks) ~ smallest_neighbours(edges, round)) -%}
            {%- do run_query(replace_temporary(into ~ '_edges_' ~ (round + 1)) ~ edges_of_picked(edges, picks)) -%}
            {%- do run_query('drop table ' ~ edges) -%}
            {%- set reached.round = round + 1 -%}
            {%- set reached.edges = rows_of(into ~ '_edges_' ~ (round + 1)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do run_query('drop table ' ~ into ~ '_edges_' ~ reached.round) -%}
    {%- do run_query(replace_temporary(into) ~ followed_picks(into ~ '_picks_', reached.round - 1)) -%}
    {%- for round in range(1, reached.round) -%}
        {%- do run_query('drop table ' ~ into ~ '_picks_' ~ round) -%}
    {%- endfor -%}
    {{ return(into) }}
{%- endmacro %}

{#- The beginning of a statement that makes a temporary table anew. -#}
{% macro replace_temporary(name) -%}
    drop table if exists {{ name }}; create temporary table {{ name }} as {{ '' }}
{%- endmacro %}

{#- How many rows a relation has. -#}
{% macro rows_of(relation) -%}
    {{ return(run_query('select count(*) from ' ~ relation).columns[0].values()[0]) }}
{%- endmacro %}

{#- A link on n records as n - 1 edges (`a`, `b`) to the smallest of them. -#}
{% macro stars_of_links(links) -%}
    select hubs.hub as a, links.record_key as b
    from {{ links }} as links
    inner join (
        select link_key, min(record_key) as hub
        from {{ links }}
        group by link_key
        having min(record_key) < max(record_key)
    ) as hubs
        on links.link_key = hubs.link_key
    where links.record_key <> hubs.hub
{%- endmacro %}

{#- For each end of an edge the smallest of itself and its neighbours (`pick`), in the order of the round. -#}
{% macro smallest_neighbours(edges, round) -%}
    {%- set mask = local_md5('round ' ~ round)[:15] | int(base=16) -%}
    select
        id,
        {{ xor_of('least(min(' ~ xor_of('neighbour', mask) ~ '), ' ~ xor_of('id', mask) ~ ')', mask) }} as pick
    from (
        select a as id, b as neighbour from {{ edges }}
        union all
        select b, a from {{ edges }}
    ) as both_ways
    group by id
{%- endmacro %}

{#- The edges that are left between those that were picked. -#}
{% macro edges_of_picked(edges, picks) -%}
    select distinct
        least(one.pick, other.pick) as a,
        greatest(one.pick, other.pick) as b
    from {{ edges }} as edges
    inner join {{ picks }} as one on edges.a = one.id
    inner join {{ picks }} as other on edges.b = other.id
    where one.pick <> other.pick
{%- endmacro %}

{#- For each record the last of the picks that its own leads to, round after round. -#}
{% macro followed_picks(picks, rounds) -%}
    {%- if rounds == 0 -%}
    select cast(null as bigint) as id, cast(null as bigint) as component where false
    {%- else -%}
    with round_{{ rounds }} as (select id, pick as component from {{ picks }}{{ rounds }})
    {%- for round in range(rounds - 1, 0, -1) %},
    round_{{ round }} as (
        select picked.id, coalesce(later.component, picked.pick) as component
        from {{ picks }}{{ round }} as picked
        left join round_{{ round + 1 }} as later on picked.pick = later.id
    )
    {%- endfor %}
    select id, component from round_1
    {%- endif -%}
{%- endmacro %}

{#- The exclusive or of two integers. -#}
{% macro xor_of(one, other) -%}
    {{ return(adapter.dispatch('xor_of', 'perennial')(one, other)) }}
{%- endmacro %}

{% macro default__xor_of(one, other) -%}
    ({{ one }} # {{ other }})
{%- endmacro %}

{% macro duckdb__xor_of(one, other) -%}
    xor({{ one }}, {{ other }})
{%- endmacro %}
