with

deeds as (

    select
        seq,
        case operation when 'quarantine_retry' then 'retried' else 'discarded' end as status,
        occurred_at as closed_at,
        operated_by as closed_by,
        {{ json_record('subject', {'rows': [{'seq': 'BIGINT', 'row_no': 'INTEGER'}]}) }} as record
    from {{ ref('stg_perennial__operations') }}
    where operation in ('quarantine_retry', 'quarantine_discard')

),

rows_of_deeds as (

    select
        deeds.seq as closing_seq,
        deeds.status,
        deeds.closed_at,
        deeds.closed_by,
        {{ json_field('elements.element', 'seq', 'bigint') }} as seq,
        {{ json_field('elements.element', 'row_no', 'integer') }} as row_no
    from deeds
    cross join {{ json_elements(json_field('deeds.record', 'rows')) }}

)

select *
from rows_of_deeds
