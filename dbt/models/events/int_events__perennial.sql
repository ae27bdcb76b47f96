{#- The events that the warehouse itself brought about, in the columns of all events. -#}
select
    event_id,
    event_name,
    'perennial' as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    store_id,
    object_type,
    object_id,
    cast(null as varchar) as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    cast(null as varchar) as reason,
    amount,
    properties
from {{ ref('int_derived_events') }}

union all

select
    event_id,
    event_name,
    'perennial',
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    null,
    'audience',
    audience_name,
    null, null, null, null,
    null,
    '{}'
from {{ ref('int_audience_events') }}
