{#- The id is made of what both routes say, so that the event is the same whichever brought it. -#}
select
    {{ event_id(["'omni'", 'events.happening_key', 'cast(events.occurrence_no as varchar)']) }} as event_id,
    names.event_name,
    'omni' as source,
    events.occurred_at,
    events.received_at,
    events.seq,
    events.row_no,
    {{ omni_node() }} as node,
    cast(null as varchar) as store_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    cast(null as varchar) as status,
    coalesce(events.new_tier, events.tier) as tier,
    events.reward_type,
    events.reason,
    events.points as amount,
    events.properties
from {{ ref('stg_omni__events') }} as events
inner join {{ ref('omni_events') }} as names on events.omni_event = names.omni_event
