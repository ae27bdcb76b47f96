{#- A point of sale's order versions and customer versions as events: each once, at the version that first shows it. -#}
with

orders as (

    select * from {{ ref('stg_flowhub__orders') }}

),

customers as (

    select * from {{ ref('stg_flowhub__customers') }}

),

order_moments as (

    select orders.*, 'order_created' as event_name, created_at as occurred_at
    from orders
    where is_first_version and status <> 'refunded'

    union all

    select orders.*, 'order_completed', completed_at
    from orders
    where status = 'completed' and previous_status is distinct from 'completed'

    union all

    -- the till says that an order is void, not when it became so: the day it was, or the moment it was seen later
    select
        orders.*,
        'order_canceled',
        case when is_first_version then coalesce(completed_at, created_at) else received_at end
    from orders
    where status = 'canceled' and previous_status is distinct from 'canceled'

    union all

    select orders.*, 'order_refunded', coalesce(completed_at, created_at)
    from orders
    where status = 'refunded' and previous_status is distinct from 'refunded'

),

opt_in_changes as (

    {#- a boolean that flips, dated when the flip was seen; what a first version says is a state and no change, and a no
        beside a new address says nothing of that address -#}
    {%- for channel, address in {'email': 'email', 'sms': 'phone'}.items() %}
    select
        customers.*,
        '{{ channel }}' as channel,
        case when {{ channel }}_opt_in then 'opted_in' else 'opted_out' end as consent_status
    from customers
    where {{ address }} is not null
        and (
            ({{ channel }}_opt_in and previous_{{ channel }}_opt_in is false)
            or (not {{ channel }}_opt_in and previous_{{ channel }}_opt_in and previous_{{ address }} = {{ address }})
        )
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- what was ordered, as this version of the order says it
order_moments_with_lines as (

    select
        order_moments.*,
        {{ order_lines_json('order_moments.items') }} as lines
    from order_moments

)

select
    {{ event_id([
        "'flowhub'", 'event_name', 'order_id', "case when is_first_version then '' else cast(seq as varchar) end",
    ]) }} as event_id,
    event_name,
    'flowhub' as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    {{ node_of('flowhub_customer', 'flowhub_customer_id') }} as node,
    store_id,
    'order' as object_type,
    order_id as object_id,
    status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    cast(null as varchar) as reason,
    cast(total as decimal(18, 2)) as amount,
    {{ json_object({
        'order_type': 'order_type', 'budtender': 'budtender', 'original_order_id': 'original_order_id',
        'lines': 'cast(lines as json)',
    }) }} as properties
from order_moments_with_lines

union all

select
    {{ event_id([
        "'flowhub'", "case when is_first_version then 'customer_created' else 'customer_updated' end",
        'flowhub_customer_id', 'source_key',
    ]) }},
    case when is_first_version then 'customer_created' else 'customer_updated' end,
    'flowhub',
    case when is_first_version then created_at else coalesce(updated_at, received_at) end,
    received_at,
    seq,
    row_no,
    {{ node_of('flowhub_customer', 'flowhub_customer_id') }},
    null, null, null, null, null, null, null, null,
    '{}'
from customers

union all

select
    {{ event_id([
        "'flowhub'", "'customer_optin_status_changed'", 'channel', 'flowhub_customer_id', 'cast(seq as varchar)',
        'cast(row_no as varchar)',
    ]) }},
    'customer_optin_status_changed',
    'flowhub',
    received_at as occurred_at,
    received_at,
    seq,
    row_no,
    {{ node_of('flowhub_customer', 'flowhub_customer_id') }},
    null, null, null,
    consent_status,
    null, null,
    channel,
    null,
    {{ json_object({'channel': 'channel', 'status': 'consent_status', 'basis': "'till'"}) }}
from opt_in_changes
