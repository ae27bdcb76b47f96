{{ config(materialized='table') }}

with

waiting as (

    select
        gates.*,
        row_number() over (
            partition by gates.flow_name, gates.trigger_key, gates.node
            order by gates.triggered_at, gates.trigger_event_id
        ) as sibling_no
    from {{ ref('int_flow_gates') }} as gates
    where gates.is_curable
        and gates.window_ends_at >= {{ as_of() }}
        and gates.decision_id not in (select decision_id from {{ ref('int_flow_decisions') }})

)

select
    flow_name,
    trigger_key,
    node as subject_node,
    customer_id,
    triggered_at,
    reason as last_failed_gate,
    window_ends_at
from waiting
where sibling_no = 1
