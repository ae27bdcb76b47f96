with

events as (

    select
        partner_events.*,
        {{ json_text('properties', ['cart_id']) }} as cart_id,
        {{ json_text('properties', ['order_id']) }} as order_id
    from {{ ref('stg_partners__events') }} as partner_events

)

select
    {{ event_id(["'partners'", 'source_key']) }} as event_id,
    event_name,
    partner as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    {{ partner_node() }} as node,
    {{ json_text('properties', ['store_id']) }} as store_id,
    case when order_id is not null then 'order' when cart_id is not null then 'cart' end as object_type,
    coalesce(order_id, cart_id) as object_id,
    {{ json_text('properties', ['status']) }} as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    {{ json_text('properties', ['reason']) }} as reason,
    {{ json_text_as('properties', ['amount'], 'decimal(18, 2)') }} as amount,
    properties
from events
