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

)

select
    product_id,
    store_id,
    room_id,
    cast(sum(on_hand) as decimal(18, 4)) as on_hand,
    cast(0 as decimal(18, 4)) as on_hold,
    cast(sum(on_hand) as decimal(18, 4)) as available,
    max(case when price_rank = 1 then price end) as price,
    bool_or(case when price_rank = 1 then is_tier_price end) as is_tier_price,
    max(case when price_rank = 1 then price_changed_at end) as price_changed_at,
    case when min(purchase_category) = max(purchase_category) then min(purchase_category)
        when min(purchase_category) is not null then 'both' end as purchase_category
from priced
group by product_id, store_id, room_id
