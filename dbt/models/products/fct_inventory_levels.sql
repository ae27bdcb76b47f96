{{ config(materialized='table') }}

{#- Made anew from the items on the shelves, so that a changed setting of rooms, purchase categories or fields counts at
    once. A hold takes from `available` and leaves `on_hand` as the till says it. -#}
with

synced_fields as (

    {{ synced_fields() }}

),

items as (

    select
        items.product_id,
        items.store_id,
        items.room_id,
        greatest(items.on_hand, 0) as on_hand,
        {{ if_synced('price', 'items.price') }} as price,
        {{ if_synced('price', 'items.price_changed_at') }} as price_changed_at,
        {{ if_synced('price', 'items.is_tier_price') }} as is_tier_price,
        {{ if_synced('purchase_category', 'items.purchase_category') }} as purchase_category
    from {{ ref('int_inventory_items') }} as items
    {{ join_synced_fields('items') }}
    where items.is_listed and {{ is_taken_stock('items.room_id', 'items.purchase_category') }}

),

-- the lowest price of what can be bought; of what lies there, where nothing can
priced as (

    select
        *,
        row_number() over (
            partition by product_id, store_id, room_id
            order by case when on_hand > 0 then 0 else 1 end, price nulls last, price_changed_at
        ) as price_rank
    from items

),

levels as (

    select
        product_id,
        store_id,
        room_id,
        cast(sum(on_hand) as decimal(18, 4)) as on_hand,
        cast(max(case when price_rank = 1 then price end) as decimal(18, 2)) as price,
        bool_or(case when price_rank = 1 then is_tier_price end) as is_tier_price,
        max(case when price_rank = 1 then price_changed_at end) as price_changed_at,
        case when min(purchase_category) = max(purchase_category) then min(purchase_category)
            when min(purchase_category) is not null then 'both' end as purchase_category
    from priced
    group by product_id, store_id, room_id

),

holds as (

    select product_id, store_id, sum(quantity) as on_hold
    from {{ ref('int_order_holds') }}
    where hold_state in ('held', 'pinned')
    group by product_id, store_id

),

-- an order holds a product of a store, not of a room: the fullest room gives first, and what no room has is owed there
shared as (

    select
        levels.*,
        coalesce(holds.on_hold, 0) as store_hold,
        sum(levels.on_hand) over (partition by levels.product_id, levels.store_id) as store_on_hand,
        coalesce(sum(levels.on_hand) over (
            partition by levels.product_id, levels.store_id order by levels.on_hand desc, levels.room_id
            rows between unbounded preceding and 1 preceding
        ), 0) as taken_before,
        row_number() over (
            partition by levels.product_id, levels.store_id order by levels.on_hand desc, levels.room_id
        ) as room_no
    from levels
    left join holds on levels.product_id = holds.product_id and levels.store_id = holds.store_id

),

allocated as (

    select
        *,
        least(greatest(store_hold - taken_before, 0), on_hand)
        + case when room_no = 1 then greatest(store_hold - store_on_hand, 0) else 0 end as room_hold
    from shared

)

select
    product_id,
    store_id,
    room_id,
    on_hand,
    cast(room_hold as decimal(18, 4)) as on_hold,
    cast(on_hand - room_hold as decimal(18, 4)) as available,
    price,
    is_tier_price,
    price_changed_at,
    purchase_category
from allocated
