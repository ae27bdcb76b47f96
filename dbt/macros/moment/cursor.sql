{#- How far a model has read: its last committed cursor, `upto_seq` or `build_no`; 0 when it has built nothing yet,
    and in unit tests, which read all that they are given.
    On DuckDB the number stands in the SQL, so that the zone maps can skip what is older: the builder tells all of them at
    once, and who runs dbt without it pays a look-up. -#}
{% macro cursor(column) -%}
    {%- if not execute or model.resource_type == 'unit_test' or flags.FULL_REFRESH -%}
        {{ return('0') }}
    {%- endif -%}
    {{ return(adapter.dispatch('cursor', 'perennial')(column)) }}
{%- endmacro %}

{% macro default__cursor(column) -%}
    {{ return("(select coalesce(max(" ~ column ~ "), 0) from ops.model_cursors where model = '" ~ model.name ~ "')") }}
{%- endmacro %}

{% macro duckdb__cursor(column) -%}
    {#- a table holds the news of its moment only: when the moment is taken up again, its rows are news again -#}
    {%- set is_of_the_moment = config.get('materialized') == 'table' -%}
    {%- if var('cursors') is not none -%}
        {%- set told = var('cursors').get(model.name, {}).get('earlier' if is_of_the_moment else 'all', {}) -%}
        {{ return(told.get(column, 0) | string) }}
    {%- endif -%}
    {%- set earlier = " and build_no < " ~ (var('build_no') | int) if is_of_the_moment else "" -%}
    {%- set found = run_query(
        "select coalesce(max(" ~ column ~ "), 0) from ops.model_cursors where model = '" ~ model.name ~ "'" ~ earlier
    ) -%}
    {{ return(found.columns[0].values()[0] | string) }}
{%- endmacro %}
