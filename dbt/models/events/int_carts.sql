{{ config(materialized='incremental', incremental_strategy='merge', unique_key='cart_id') }}

{#- The present state of each cart. Statuses arrive out of order: the furthest counts, not the latest. -#}
with

deliveries as (

    select
        carts.cart_id,
        carts.seq,
        carts.row_no,
        {{ jane_node() }} as node,
        carts.jane_store_id,
        carts.store_name,
        carts.reservation_mode,
        carts.pos_order_id,
        carts.products,
        carts.amount,
        carts.created_at,
        carts.occurred_at,
        carts.received_at,
        carts.webhook,
        statuses.jane_status,
        statuses.status_rank,
        statuses.canceled_by,
        statuses.order_status
    from {{ ref('stg_jane__carts') }} as carts
    inner join {{ ref('jane_statuses') }} as statuses on carts.jane_status = statuses.jane_status
    where {{ is_news('carts.seq') }}

),

partner_touches as (

    select
        cart_id,
        (array_agg(node order by occurred_at desc, seq desc) filter (where node is not null))[1] as node,
        min(occurred_at) as created_at,
        max(case when event_name in (
            'cart_updated', 'added_to_cart', 'removed_from_cart', 'checkout_started'
        ) then occurred_at end) as last_activity_at,
        max(case when event_name = 'cart_abandoned' then occurred_at end) as last_abandoned_at,
        min(case when object_type = 'order' then occurred_at end) as ordered_at
    from (
        select
            *,
            case when object_type = 'cart' then object_id else {{ json_text('properties', ['cart_id']) }} end as cart_id
        from {{ ref('int_events__partners') }}
        where {{ is_news() }}
    ) as partner_events
    where cart_id is not null
        and (object_type = 'cart' or event_name in ('order_created', 'order_completed', 'order_fulfilled'))
    group by cart_id

),

till_news as (

    -- the order that the till made of a cart that Perennial pushed
    select
        cart_id,
        min(pos_order_id) as pos_order_id,
        min(accepted_at) as accepted_at
    from {{ ref('stg_perennial__order_receipts') }}
    where {{ is_news() }} and status = 'accepted'
    group by cart_id

),

jane_news as (

    select
        cart_id,
        (array_agg(node order by occurred_at desc, seq desc)
            filter (where node not like 'jane_cart:%'))[1] as known_node,
        (array_agg(node order by occurred_at desc, seq desc))[1] as node,
        (array_agg(jane_store_id order by occurred_at desc, seq desc)
            filter (where jane_store_id is not null))[1] as jane_store_id,
        (array_agg(store_name order by occurred_at desc, seq desc)
            filter (where store_name is not null))[1] as store_name,
        (array_agg(reservation_mode order by occurred_at desc, seq desc)
            filter (where reservation_mode is not null))[1] as reservation_mode,
        (array_agg(pos_order_id order by occurred_at desc, seq desc)
            filter (where pos_order_id is not null))[1] as pos_order_id,
        (array_agg(products order by occurred_at desc, seq desc) filter (where products is not null))[1] as products,
        (array_agg(amount order by occurred_at desc, seq desc) filter (where amount is not null))[1] as amount,
        min(coalesce(created_at, occurred_at)) as created_at,
        max(occurred_at) as last_delivery_at,
        max(case when webhook = 'cart_status' and jane_status = 'pending' then occurred_at end) as last_activity_at,
        max(case when webhook = 'cart_abandoned' then occurred_at end) as last_abandoned_at,
        (array_agg(jane_status order by status_rank desc, occurred_at desc))[1] as jane_status,
        max(status_rank) as status_rank,
        min(case when status_rank >= 20 then occurred_at end) as ordered_at,
        min(case when status_rank >= 40 and canceled_by is null then occurred_at end) as confirmed_at,
        min(case when pos_order_id is not null then received_at end) as pos_order_seen_at,
        min(case when order_status = 'fulfilled' then received_at end) as fulfilled_seen_at,
        min(case when order_status = 'fulfilled' then occurred_at end) as fulfilled_at,
        min(case when order_status = 'canceled' then occurred_at end) as canceled_at,
        max(canceled_by) as canceled_by
    from deliveries
    group by cart_id

),

merged as (

    select
        coalesce(jane_news.cart_id, partner_touches.cart_id, till_news.cart_id) as cart_id,
        coalesce(jane_news.known_node, jane_news.node, partner_touches.node) as node,
        jane_news.jane_store_id,
        jane_news.store_name,
        jane_news.reservation_mode,
        coalesce(jane_news.pos_order_id, till_news.pos_order_id) as pos_order_id,
        jane_news.products,
        jane_news.amount,
        least(jane_news.created_at, partner_touches.created_at) as created_at,
        jane_news.last_delivery_at,
        greatest(jane_news.last_activity_at, partner_touches.last_activity_at) as last_activity_at,
        greatest(jane_news.last_abandoned_at, partner_touches.last_abandoned_at) as last_abandoned_at,
        coalesce(jane_news.jane_status, 'pending') as jane_status,
        coalesce(jane_news.status_rank, 10) as status_rank,
        least(jane_news.ordered_at, partner_touches.ordered_at) as ordered_at,
        jane_news.confirmed_at,
        least(jane_news.pos_order_seen_at, till_news.accepted_at) as pos_order_seen_at,
        jane_news.fulfilled_seen_at,
        jane_news.fulfilled_at,
        jane_news.canceled_at,
        jane_news.canceled_by
    from jane_news
    full outer join partner_touches on jane_news.cart_id = partner_touches.cart_id
    full outer join till_news on coalesce(jane_news.cart_id, partner_touches.cart_id) = till_news.cart_id

)

select
    merged.cart_id,
    {% if is_incremental() -%}
    case
        when merged.node like 'jane_cart:%' then coalesce(known.node, merged.node)
        else coalesce(merged.node, known.node)
    end as node,
    {% for field in ['jane_store_id', 'store_name', 'reservation_mode', 'pos_order_id', 'products', 'amount'] -%}
    -- a delivery that arrives late does not take back what a later one said
    case
        when merged.last_delivery_at < known.last_delivery_at then coalesce(known.{{ field }}, merged.{{ field }})
        else coalesce(merged.{{ field }}, known.{{ field }})
    end as {{ field }},
    {% endfor -%}
    greatest(merged.last_delivery_at, known.last_delivery_at) as last_delivery_at,
    least(merged.created_at, known.created_at) as created_at,
    greatest(merged.last_activity_at, known.last_activity_at) as last_activity_at,
    greatest(merged.last_abandoned_at, known.last_abandoned_at) as last_abandoned_at,
    case when known.status_rank > merged.status_rank then known.jane_status else merged.jane_status end as jane_status,
    greatest(merged.status_rank, known.status_rank) as status_rank,
    least(merged.ordered_at, known.ordered_at) as ordered_at,
    least(merged.confirmed_at, known.confirmed_at) as confirmed_at,
    least(merged.pos_order_seen_at, known.pos_order_seen_at) as pos_order_seen_at,
    least(merged.fulfilled_seen_at, known.fulfilled_seen_at) as fulfilled_seen_at,
    least(merged.fulfilled_at, known.fulfilled_at) as fulfilled_at,
    least(merged.canceled_at, known.canceled_at) as canceled_at,
    coalesce(merged.canceled_by, known.canceled_by) as canceled_by,
    {%- else -%}
    merged.node,
    merged.jane_store_id,
    merged.store_name,
    merged.reservation_mode,
    merged.pos_order_id,
    merged.products,
    merged.amount,
    merged.last_delivery_at,
    merged.created_at,
    merged.last_activity_at,
    merged.last_abandoned_at,
    merged.jane_status,
    merged.status_rank,
    merged.ordered_at,
    merged.confirmed_at,
    merged.pos_order_seen_at,
    merged.fulfilled_seen_at,
    merged.fulfilled_at,
    merged.canceled_at,
    merged.canceled_by,
    {%- endif %}
    {{ build_no() }} as changed_build_no
from merged
{% if is_incremental() -%}
left join {{ this }} as known on merged.cart_id = known.cart_id
{%- endif %}
