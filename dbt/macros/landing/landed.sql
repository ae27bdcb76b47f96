{#- The landed rows of some streams of one source that this model has not read yet: `seq` in (its cursor, upto_seq].
    What the warehouse itself landed is read to the end (`to_the_end`) when it is restored: decisions land after the moment
    that took them; what was erased is not restored. DuckDB reads just the Parquet files that hold them, as the manifest names them; other engines a loaded table. -#}
{% macro landed(source_name, streams, to_the_end=false) -%}
    {{ return(adapter.dispatch('landed', 'perennial')(source_name, streams, to_the_end)) }}
{%- endmacro %}

{% macro default__landed(source_name, streams, to_the_end) -%}
    select seq, row_no, source, stream, source_key, received_at, headers, request, payload
    from raw.landing
    where source = '{{ source_name }}'
        and stream in ('{{ streams | join("', '") }}')
        and {{ is_news(to_the_end=to_the_end) }}
        {%- if to_the_end %} and not {{ is_erased('payload') }} {%- endif %}
{%- endmacro %}

{% macro duckdb__landed(source_name, streams, to_the_end) -%}
    {%- set paths = [] -%}
    {%- if execute -%}
        {%- set names = [] -%}
        {%- for stream in streams -%}{%- do names.append("'" ~ source_name ~ "/" ~ stream ~ "'") -%}{%- endfor -%}
        {%- set found = run_query(
            "select distinct path from ops.landing_files where stream in (" ~ names | join(', ') ~ ")"
            ~ " and last_seq > " ~ cursor('upto_seq') ~ " and first_seq <= "
            ~ (var('landed_seq' if to_the_end else 'upto_seq') | int) ~ " order by path"
        ) -%}
        {%- set paths = found.columns[0].values() -%}
    {%- endif -%}
    {%- if paths | length == 0 -%}
    select
        cast(null as bigint) as seq, cast(null as integer) as row_no, cast(null as varchar) as source,
        cast(null as varchar) as stream, cast(null as varchar) as source_key, cast(null as timestamp) as received_at,
        cast(null as varchar) as headers, cast(null as varchar) as request, cast(null as varchar) as payload
    where false
    {%- else -%}
    select
        seq, row_no, source, stream, source_key, cast(received_at as timestamp) as received_at, headers, request, payload
    from read_parquet(['{{ paths | join("', '") }}'])
    where source = '{{ source_name }}'
        and stream in ('{{ streams | join("', '") }}')
        and {{ is_news(to_the_end=to_the_end) }}
        {%- if to_the_end %} and not {{ is_erased('payload') }} {%- endif %}
    {%- endif -%}
{%- endmacro %}
