{#- Who of a flow's people got its message and who was held out, as they are by now. A control group is good for what it
    was drawn for: whoever has been in both arms, because two records in different ones turned out to be one person,
    is in neither. -#}
with

decided as (

    select
        {{ present_name_of('decisions.flow_name') }} as flow_name,
        coalesce(map.customer_id, decisions.customer_id) as customer_id,
        case decisions.outcome when 'enrolled' then 'message' else 'control' end as arm,
        decisions.decided_at
    from {{ ref('int_flow_decisions') }} as decisions
    left join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    where decisions.mode = 'live'
        and (decisions.outcome = 'enrolled' or decisions.reason = 'holdout')

)

select
    flow_name,
    customer_id,
    case when min(arm) = max(arm) then min(arm) else 'both' end as arm,
    min(arm) = max(arm) as is_in_lift,
    min(decided_at) as first_decided_at
from decided
group by flow_name, customer_id
