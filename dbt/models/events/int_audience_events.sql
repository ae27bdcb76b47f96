{{ config(materialized='incremental', incremental_strategy='append') }}

{#- Who entered an audience or left it, as the moment that saw it landed it: an event of the next moment, under the id
    that flows gave the occurrence already. It names the record after which the person was called, so a merge rewrites none.
    A baseline is no event. Cost follows the news. -#}
with

landed as (

    {{ landed('perennial', ['audience_changes']) }}

),

changes as (

    select
        seq,
        row_no,
        received_at,
        {{ json_text('payload', ['audience_name']) }} as audience_name,
        {{ json_text('payload', ['customer_id']) }} as customer_id,
        {{ json_text('payload', ['change']) }} as change,
        {{ utc_timestamp(json_text('payload', ['changed_at'])) }} as changed_at
    from landed
    where {{ json_text('payload', ['is_baseline']) }} = 'false'

)

select
    {{ audience_event_id('changes') }} as event_id,
    case changes.change when 'entered' then 'segment_entered' else 'segment_exited' end as event_name,
    changes.changed_at as occurred_at,
    changes.received_at,
    changes.seq,
    changes.row_no,
    anchors.node,
    changes.audience_name
from changes
-- whoever was erased since has no record any more
inner join {{ ref('int_identity__map') }} as anchors
    on {{ anchor_record_key('changes.customer_id') }} = anchors.record_key
