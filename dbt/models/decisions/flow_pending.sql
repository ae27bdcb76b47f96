{{ config(materialized='table') }}

with

gates as (

    select
        *,
        case when flow_status = 'dry_run' then 'dry_run' else 'live' end as mode
    from {{ ref('int_flow_gates') }}
    where is_curable and window_ends_at >= {{ as_of() }}

),

former_ids as (  -- noqa: ST03

    {{ former_ids() }}

),

earlier as (  -- noqa: ST03

    select
        {{ present_name_of('decisions.flow_name') }} as flow_name,
        decisions.mode,
        decisions.trigger_key,
        map.customer_id
    from {{ ref('int_flow_decisions') }} as decisions
    inner join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    where map.customer_id in (select customer_id from gates)

),

waiting as (

    {#- what is decided for the person, under whichever of her records, waits no more -#}
    select
        gates.*,
        row_number() over (
            partition by gates.flow_name, gates.trigger_key, coalesce(gates.customer_id, gates.node)
            order by gates.triggered_at, gates.node, gates.trigger_event_id
        ) as sibling_no
    from gates
    where gates.decision_id not in (
        select decided.decision_id from ({{ occurrences_decided_before(ref('int_flow_decisions')) }}) as decided
    )

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
