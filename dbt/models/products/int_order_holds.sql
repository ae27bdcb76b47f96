{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='cart_id') }}

{#- What e-commerce orders take off the shelves until the till counts it itself. An order holds from the moment it is
    placed (a cart holds nothing) until it is canceled or voided at the till, until the first list of the store's
    shelves that is complete, believed and began after the till had it, or by hand. Cost follows the orders with news,
    the open holds of stores with a new list, and the few orders whose store was no location yet. -#}
with

new_lists as (  -- noqa: ST03

    select store_id, min(seq) as seq
    from {{ ref('int_inventory_snapshots') }}
    where is_believed and {{ is_news() }}
    group by store_id

),

operations as (

    select
        cart_id,
        operation,
        occurred_at,
        row_number() over (partition by cart_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_perennial__operations') }}
    where operation in ('order_hold', 'order_release') and cart_id is not null and seq <= {{ var('upto_seq') | int }}

),

touched as (

    select cart_id from {{ ref('int_carts') }} where {{ changed_since() }}

    union

    select cart_id from {{ ref('stg_perennial__operations') }}
    where operation in ('order_hold', 'order_release') and cart_id is not null and {{ is_news() }}

    {%- if is_incremental() %}

    union

    select holds.cart_id
    from {{ this }} as holds
    inner join new_lists on holds.store_id = new_lists.store_id
    where holds.hold_state = 'held'

    union

    select holds.cart_id
    from {{ this }} as holds
    inner join {{ ref('int_orders') }} as orders on holds.pos_order_id = orders.order_id
    where {{ changed_since('orders.changed_build_no') }}

    union

    -- orders may come before the location of their store is pulled, or linked by the seed
    select carts.cart_id
    from {{ ref('int_carts') }} as carts
    {{ join_location('carts') }}
    where coalesce(store_links.store_id, location_names.store_id) is not null
        and carts.cart_id in (select holds.cart_id from {{ this }} as holds where holds.store_id is null)
    {%- endif %}

),

placed as (

    select
        carts.cart_id,
        carts.reservation_mode,
        carts.pos_order_id,
        coalesce(store_links.store_id, location_names.store_id) as store_id,
        carts.products,
        carts.ordered_at,
        carts.canceled_at,
        -- a void at the till ends the order as a cancellation does, though Jane may never tell of it; nobody tells when
        orders.status in ('canceled', 'refunded') and orders.completed_at is null as is_voided,
        {%- if var('flowhub_maui') %}
        least(carts.pos_order_seen_at, carts.fulfilled_seen_at) as accepted_at
        {%- else %}
        -- without Maui an order stays ours until the till has sold it
        least(orders.completed_at, carts.fulfilled_seen_at) as accepted_at
        {%- endif %}
    from {{ ref('int_carts') }} as carts
    {{ join_location('carts') }}
    left join {{ ref('int_orders') }} as orders on carts.pos_order_id = orders.order_id
    where carts.ordered_at is not null and carts.cart_id in (select touched.cart_id from touched)

),

lists as (

    select
        placed.cart_id,
        min(snapshots.started_at) as counted_at
    from placed
    inner join {{ ref('int_inventory_snapshots') }} as snapshots
        on placed.store_id = snapshots.store_id
            and snapshots.is_believed
            and placed.accepted_at < snapshots.started_at
    group by placed.cart_id

),

lines as (

    {{ cart_lines('placed') }}

),

states as (

    select
        placed.*,
        case
            when operations.operation = 'order_hold' then 'pinned'
            when operations.operation = 'order_release' then 'released_to_pos'
            when placed.canceled_at is not null or lists.counted_at is not null then 'released_to_pos'
            when placed.is_voided then 'released_to_pos'
            else 'held'
        end as hold_state,
        case
            when operations.operation = 'order_hold' then null
            when operations.operation = 'order_release' then 'by_hand'
            when placed.canceled_at is not null then 'canceled'
            when lists.counted_at is not null then 'counted_by_pos'
            when placed.is_voided then 'canceled'
        end as released_by,
        case
            when operations.operation = 'order_hold' then null
            when operations.operation = 'order_release' then operations.occurred_at
            else coalesce(placed.canceled_at, lists.counted_at)
        end as released_at
    from placed
    left join lists on placed.cart_id = lists.cart_id
    left join operations on placed.cart_id = operations.cart_id and operations.recency = 1

)

select
    states.cart_id,
    'jane-' || states.cart_id as order_id,
    -- an order without lines is listed, with a line 0 that blocks nothing
    coalesce(lines.line_no, 0) as line_no,
    states.pos_order_id,
    states.store_id,
    lower(states.reservation_mode) as channel,
    lines.product_id,
    lines.product_name,
    cast(greatest(coalesce(lines.quantity, 0), 0) as decimal(18, 4)) as quantity,
    states.hold_state,
    states.released_by,
    states.ordered_at as held_at,
    states.accepted_at,
    states.released_at,
    {{ build_no() }} as changed_build_no
from states
left join lines on states.cart_id = lines.cart_id
