select
    decisions.decision_id as enrollment_id,
    decisions.flow_name,
    coalesce(map.customer_id, decisions.customer_id) as customer_id,
    decisions.trigger_key,
    decisions.triggered_at,
    decisions.decided_at as enrolled_at,
    decisions.not_before,
    decisions.expires_at,
    decisions.channels,
    decisions.destination,
    decisions.context
from {{ ref('int_flow_decisions') }} as decisions
left join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
where decisions.outcome = 'enrolled'
    and decisions.mode = 'live'
