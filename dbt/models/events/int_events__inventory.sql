{#- What two consecutive lists of a store's shelves show between them. Nobody sends these events, and nobody is on them:
    a flow finds the people who care for the product. -#}
with

stock as (

    select * from {{ ref('int_product_stock') }}
    where snapshot_status = 'compared'

),

thresholds as (

    select * from {{ ref('inventory_thresholds') }}

),

judged as (

    select
        stock.*,
        coalesce(own.low_inventory_at, every.low_inventory_at) as low_inventory_at,
        coalesce(own.back_in_stock_after_hours, every.back_in_stock_after_hours) as back_in_stock_after_hours,
        coalesce(own.back_in_stock_at_least, every.back_in_stock_at_least) as back_in_stock_at_least,
        coalesce(own.price_drop_percent, every.price_drop_percent) as price_drop_percent,
        coalesce(own.price_drop_dollars, every.price_drop_dollars) as price_drop_dollars
    from stock
    inner join thresholds as every on every.category = '*'
    left join thresholds as own on stock.category = own.category

),

price_falls as (

    select *
    from judged
    where price < previous_price and quantity > 0

),

-- the price that was in force when the window began counts as well
lowest_prices as (

    select
        falls.seq,
        falls.store_id,
        falls.product_id,
        min(earlier.price) as lowest_price,
        min(case
            when earlier.taken_at > falls.taken_at - interval '{{ var("price_drop_lookback_days") }} days'
                then earlier.previous_price
        end) as lowest_price_before
    from price_falls as falls
    inner join {{ ref('int_product_stock') }} as earlier
        on falls.store_id = earlier.store_id
            and falls.product_id = earlier.product_id
            and falls.seq > earlier.seq
            and earlier.taken_at >= falls.taken_at - interval '{{ var("price_drop_lookback_days") }} days'
    group by falls.seq, falls.store_id, falls.product_id

),

measured as (

    select
        judged.*,
        case
            when judged.price < judged.previous_price and judged.quantity > 0
                then least(judged.previous_price, lowest.lowest_price, lowest.lowest_price_before)
        end as lowest_price
    from judged
    left join lowest_prices as lowest
        on judged.seq = lowest.seq and judged.store_id = lowest.store_id and judged.product_id = lowest.product_id

),

named as (

    select measured.*, 'back_in_stock' as event_name, stockout_since as since
    from measured
    where quantity >= back_in_stock_at_least
        and coalesce(peak_before, 0) < back_in_stock_at_least
        and returned_at >= {{ add_seconds('stockout_since', 'back_in_stock_after_hours * 3600') }}

    union all

    select measured.*, 'low_inventory', taken_at
    from measured
    where quantity > 0 and quantity <= low_inventory_at and previous_quantity > low_inventory_at

    union all

    select measured.*, 'new_product_added', taken_at
    from measured
    where is_first_available and first_status = 'compared'

    union all

    select measured.*, 'price_drop', taken_at
    from measured
    where price * 100 <= lowest_price * (100 - price_drop_percent)
        and price <= lowest_price - price_drop_dollars

)

select
    {{ event_id([
        "'flowhub'", 'event_name', 'product_id', 'store_id', 'cast(since as varchar)',
        "case when event_name = 'price_drop' then cast(price as varchar) end",
    ]) }} as event_id,
    event_name,
    'flowhub' as source,
    taken_at as occurred_at,
    received_at,
    seq,
    row_no,
    cast(null as varchar) as node,
    store_id,
    'product' as object_type,
    product_id as object_id,
    cast(null as varchar) as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    cast(null as varchar) as reason,
    cast(case when event_name in ('price_drop', 'new_product_added') then price else quantity end as decimal(18, 2))
        as amount,
    {{ json_object({
        'product_id': 'product_id', 'product_name': 'product_name', 'variant': 'variant', 'brand': 'brand',
        'category': 'category', 'quantity': 'quantity', 'price': 'price', 'old_price': 'previous_price',
        'lowest_price': 'lowest_price', 'since': 'cast(since as varchar)',
    }) }} as properties
from named
