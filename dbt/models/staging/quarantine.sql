{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['seq', 'row_no']) }}

{#- Rows that were refused since the last build, and rows that an operator has closed since: cost follows both. -#}
with

refused as (

    {%- for model_name in judging_models() %}
    select
        landed_stream as stream,
        seq,
        row_no,
        source_key,
        problem as reason,
        received_at,
        rejected_payload as payload
    from {{ ref(model_name) }}
    where disposition = 'quarantined' and {{ is_news() }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

closings as (

    select *
    from {{ ref('int_quarantine__closings') }}
    where {{ is_news('closing_seq') }}

),

touched as (

    select * from refused

    {%- if is_incremental() %}

    union all

    select
        stream,
        seq,
        row_no,
        source_key,
        reason,
        received_at,
        payload
    from {{ this }}
    where (seq, row_no) in (select seq, row_no from closings)
    {%- endif %}

)

select
    touched.stream,
    touched.seq,
    touched.row_no,
    touched.source_key,
    split_part(touched.reason, ':', 1) as rule_name,
    touched.reason,
    touched.received_at,
    touched.payload,
    coalesce(closings.status, 'open') as status,
    closings.closed_at,
    closings.closed_by
from touched
left join closings on touched.seq = closings.seq and touched.row_no = closings.row_no
