{{ config(materialized='table') }}

select
    gates.flow_name,
    gates.trigger_key,
    gates.node as subject_node,
    gates.customer_id,
    gates.triggered_at,
    gates.reason as last_failed_gate,
    gates.window_ends_at
from {{ ref('int_flow_gates') }} as gates
where gates.is_curable
    and gates.window_ends_at >= {{ as_of() }}
    and gates.decision_id not in (select decision_id from {{ ref('int_flow_decisions') }})
