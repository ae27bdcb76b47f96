-- Returns a flow that has not answered occurrences of its trigger: they came in the last day, its SQL makes candidates of
-- them, and they are neither decided nor pending. Who should have been decided is counted without cursors, windows and
-- earlier moments. What is about nobody, such as a product's price, is not counted: who cares changes by the hour.
with

gates as (

    select
        candidates.flow_name,
        candidates.trigger_key,
        candidates.trigger_event_id,
        candidates.triggered_at,
        candidates.node,
        map.customer_id,
        case when flow_settings.status = 'dry_run' then 'dry_run' else 'live' end as mode,
        candidates.flow_name || '|' || candidates.trigger_event_id as decision_id
    from {{ ref('int_flow_candidates') }} as candidates
    inner join {{ source('ops', 'flow_settings') }} as flow_settings
        on candidates.flow_name = flow_settings.flow_name and candidates.triggered_at >= flow_settings.active_since
    left join {{ ref('int_identity__map') }} as map on candidates.record_key = map.record_key
    where candidates.node is not null and flow_settings.status in ('active', 'dry_run')

),

former_ids as (

    {{ former_ids() }}

),

earlier as (

    select
        {{ present_name_of('decisions.flow_name') }} as flow_name,
        decisions.mode,
        decisions.trigger_key,
        map.customer_id
    from {{ ref('int_flow_decisions') }} as decisions
    inner join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    where map.customer_id in (select customer_id from gates)

),

pending as (

    select * from {{ ref('flow_pending') }}

)

select
    flow_name,
    count(*) as occurrences,
    min(triggered_at) as first_at,
    max(triggered_at) as last_at
from gates
where decision_id not in (
        select decided.decision_id from ({{ occurrences_decided_before(ref('int_flow_decisions')) }}) as decided
    )
    and not exists (
        select 1 from pending
        where pending.flow_name = gates.flow_name
            and pending.trigger_key = gates.trigger_key
            and (pending.subject_node = gates.node or pending.customer_id = gates.customer_id)
    )
group by flow_name
