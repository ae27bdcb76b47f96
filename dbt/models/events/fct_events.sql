select
    events.event_id,
    events.event_name,
    events.source,
    events.occurred_at,
    events.received_at,
    people.customer_id,
    events.store_id,
    events.object_type,
    events.object_id,
    events.status,
    events.tier,
    events.reward_type,
    events.reason,
    events.amount,
    events.properties
from {{ ref('int_events') }} as events
left join {{ ref('int_identity__map') }} as map on events.record_key = map.record_key
-- a device or a cart is nobody yet
left join {{ ref('dim_customers') }} as people on map.customer_id = people.customer_id
