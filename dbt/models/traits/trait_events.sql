{#- Every event of the taxonomy can be asked of a person as a trait: when it was, and with which status. -#}
select
    events.event_id,
    events.customer_id,
    events.event_name as trait_name,
    events.occurred_at,
    events.status
from {{ ref('fct_events') }} as events
inner join {{ ref('event_types') }} as types on events.event_name = types.event_name
where events.customer_id is not null
