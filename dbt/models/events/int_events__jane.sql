{#- Each delivery of a cart as the status event that it is, and as the order, cart or review event that the status also
    means; what an event is about is the taxonomy's word. -#}
with

carts as (

    select * from {{ ref('stg_jane__carts') }}

),

statuses as (

    select * from {{ ref('jane_statuses') }}

),

deliveries as (

    select
        carts.*,
        {{ jane_node() }} as node,
        statuses.also_event,
        statuses.canceled_by
    from carts
    inner join statuses on carts.jane_status = statuses.jane_status

),

named as (

    select deliveries.*, 'cart_status_updated' as event_name from deliveries where webhook = 'cart_status'
    union all
    select deliveries.*, 'cart_abandoned' from deliveries where webhook = 'cart_abandoned'
    union all
    select deliveries.*, also_event from deliveries where webhook = 'cart_status' and also_event is not null

)

select
    {{ event_id(["'jane'", 'named.event_name', 'source_key']) }} as event_id,
    named.event_name,
    'jane' as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    jane_store_id as store_id,
    case types.object when 'order' then 'order' else 'cart' end as object_type,
    case types.object when 'order' then 'jane-' || cart_id else cart_id end as object_id,
    jane_status as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    canceled_by as reason,
    amount,
    {{ json_object({
        'cart_id': 'cart_id', 'reservation_mode': 'reservation_mode', 'store_name': 'store_name',
        'pos_order_id': 'pos_order_id', 'stale': 'is_stale'
    }) }} as properties
from named
left join {{ ref('event_types') }} as types on named.event_name = types.event_name
