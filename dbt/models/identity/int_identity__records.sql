{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='record_key') }}

{#- Cost follows the news: only records that somebody has shown since are read and written. -#}
{%- set fields = ['full_name', 'given_name_key', 'surname_key', 'birth_date', 'programme', 'is_loyal',
                  'customer_groups', 'street_address', 'city', 'postal_code', 'state', 'country', 'email', 'phone'] -%}

with

sightings as (

    select * from {{ ref('int_identity__sightings') }}
    where {{ is_news() }}

),

latest as (

    {#- the newest known value of each field; a source that stops sending a field does not erase it -#}
    select
        record_key,
        min(node) as node,
        min(source) as source,
        min(seq) as first_seq,
        (array_agg(row_no order by seq, row_no))[1] as first_row_no,
        max(seq) as last_seq,
        max(seen_at) as last_seen_at
        {%- for field in fields %},
        {{ newest(field) }} as {{ field }}
        {%- endfor %}
    from sightings
    group by record_key

)

select
    latest.record_key,
    latest.node,
    split_part(latest.node, ':', 1) as record_type,
    {% if is_incremental() -%} least(known.source, latest.source) as source, {%- else -%} latest.source, {%- endif %}
    {% if is_incremental() -%}
    coalesce(known.first_seq, latest.first_seq) as first_seq,
    coalesce(known.first_row_no, latest.first_row_no) as first_row_no,
    latest.last_seq,
    latest.last_seen_at,
    {% for field in fields -%}
    coalesce(latest.{{ field }}, known.{{ field }}) as {{ field }},
    {% endfor -%}
    {%- else -%}
    latest.first_seq,
    latest.first_row_no,
    latest.last_seq,
    latest.last_seen_at,
    {% for field in fields -%}
    latest.{{ field }},
    {% endfor -%}
    {%- endif %}
    {{ build_no() }} as changed_build_no
from latest
{% if is_incremental() -%}
left join {{ this }} as known
    on latest.record_key = known.record_key
{%- endif %}
