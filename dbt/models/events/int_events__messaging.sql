{#- What became of a message, as an event of whom it was written to. -#}
select
    {{ event_id(["'messaging'", 'source_key']) }} as event_id,
    'message_' || feedback_type as event_name,
    'messaging' as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    cast(null as varchar) as store_id,
    case when enrollment_id is not null then 'enrollment' end as object_type,
    enrollment_id as object_id,
    cast(null as varchar) as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    channel as reason,
    cast(null as decimal(18, 2)) as amount,
    '{}' as properties
from {{ ref('int_identity__message_subjects') }}
