-- Returns rows when a skipped decision has no reason that the seed explains in a sentence, or an enrolled one has any.
select
    decisions.decision_id,
    decisions.reason
from {{ ref('flow_decisions') }} as decisions
left join {{ ref('reasons') }} as reasons
    on split_part(decisions.reason, ':', 1) = reasons.reason
where (decisions.outcome = 'skipped' and reasons.reason is null)
    or (decisions.outcome = 'enrolled' and decisions.reason is not null)
