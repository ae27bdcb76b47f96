{{ config(materialized='table', tags=['clock']) }}

{#- What is due because of what she has with the shop.
    A standing order that stays off: three days of the calendar, where she is, after a partner said that it was switched off it
    was neither resumed nor set up anew. Switched off again without having run is the same time off. Looked at is what
    partners told of standing orders in the weeks that are not past. -#}
{%- set recovery_after = "interval '3 days'" -%}
{%- set past_after = "interval '35 days'" -%}

with

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

standing_orders as (

    select
        source,
        event_name,
        occurred_at,
        seq,
        row_no,
        node,
        store_id,
        reason,
        amount,
        {{ json_text('properties', ['auto_order_id']) }} as auto_order_id
    from {{ ref('int_events__partners') }}
    where event_name in (
        'auto_order_disabled', 'auto_order_resumed', 'auto_order_subscribed', 'auto_order_disable_recovery'
    )
        -- a day more: it is another day elsewhere
        and occurred_at > {{ as_of() }} - {{ recovery_after }} - {{ past_after }} - interval '1 day'

),

running as (

    select
        source,
        auto_order_id,
        max(occurred_at) as last_at
    from standing_orders
    where event_name in ('auto_order_resumed', 'auto_order_subscribed')
    group by source, auto_order_id

),

off as (

    select
        standing_orders.*,
        row_number() over (
            partition by standing_orders.source, standing_orders.auto_order_id
            order by standing_orders.occurred_at, standing_orders.seq, standing_orders.row_no
        ) as place
    from standing_orders
    left join running
        on standing_orders.source = running.source and standing_orders.auto_order_id = running.auto_order_id
    where standing_orders.event_name = 'auto_order_disabled'
        and standing_orders.auto_order_id <> ''
        and standing_orders.node is not null
        and (running.last_at is null or standing_orders.occurred_at > running.last_at)

),

stays_off as (

    select
        off.*,
        {{ utc_time(
            local_time('off.occurred_at', "coalesce(customers.time_zone, '" ~ var('time_zone') ~ "')")
            ~ ' + ' ~ recovery_after,
            "coalesce(customers.time_zone, '" ~ var('time_zone') ~ "')",
        ) }} as due_at
    from off
    left join map on {{ key64('off.node') }} = map.record_key
    left join customers on map.customer_id = customers.customer_id
    where off.place = 1
        -- a partner that told of it itself was first
        and not exists (
            select 1 from standing_orders as told
            where told.event_name = 'auto_order_disable_recovery'
                and told.source = off.source
                and told.auto_order_id = off.auto_order_id
                and told.occurred_at >= off.occurred_at
        )

)

select
    'auto_order_disable_recovery' as event_name,
    'auto_order:' || source || ':' || auto_order_id as subject,
    occurred_at as since,
    due_at as occurred_at,
    node,
    store_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    amount,
    {{ json_object({
        'auto_order_id': 'auto_order_id', 'disabled_at': iso_utc('occurred_at'), 'reason': 'reason',
    }) }} as properties
from stays_off
where due_at <= {{ as_of() }} and due_at > {{ as_of() }} - {{ past_after }}
