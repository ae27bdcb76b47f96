select
    decision_id,
    flow_name,
    flow_version,
    mode,
    customer_id,
    subject_node,
    trigger_key,
    trigger_event_id,
    triggered_at,
    decided_at,
    build_no,
    outcome,
    reason,
    detail
from {{ ref('int_flow_decisions') }}
