{{ config(materialized='incremental', incremental_strategy='merge', unique_key='order_id') }}

{#- The present state of each order by the record that it is evidence about. A Jane order names the order
    at the point of sale that took it over, and counts until that one is here; its store is the location that Jane's
    store is, so that a shopper's orders in one shop have one store. Cost follows the news, and the orders of a store
    that has become a location. -#}
with

flowhub_versions as (

    select
        *,
        row_number() over (partition by order_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_flowhub__orders') }}
    where {{ is_news() }}

),

carts as (

    select * from {{ ref('int_carts') }} where {{ changed_since() }}

    union all

    select elder.*
    from {{ ref('int_carts') }} as elder
    inner join {{ ref('int_jane_stores') }} as stores on elder.jane_store_id = stores.jane_store_id
    where {{ changed_since('stores.changed_build_no') }} and not {{ changed_since('elder.changed_build_no') }}

),

placed as (

    select
        carts.*,
        coalesce(stores.store_id, carts.jane_store_id) as store_id
    from carts
    left join {{ ref('int_jane_stores') }} as stores on carts.jane_store_id = stores.jane_store_id
    -- what a partner says of its own carts tells that one was ordered, not what the order is
    where carts.ordered_at is not null and carts.jane_status <> 'pending'

)

select
    order_id,
    case when order_type in ('pickup', 'delivery', 'kiosk') then 'ecommerce' else 'pos' end as channel,
    store_id,
    {{ node_of('flowhub_customer', 'flowhub_customer_id') }} as node,
    {{ key64(node_of('flowhub_customer', 'flowhub_customer_id')) }} as record_key,
    status,
    created_at,
    completed_at,
    cast(subtotal as decimal(18, 2)) as subtotal,
    cast(discount as decimal(18, 2)) as discount,
    cast(tax as decimal(18, 2)) as tax,
    cast(delivery_fee as decimal(18, 2)) as delivery_fee,
    cast(total as decimal(18, 2)) as total,
    budtender,
    cast(null as varchar) as pos_order_id,
    {{ build_no() }} as changed_build_no
from flowhub_versions
where recency = 1

union all

select
    'jane-' || cart_id,
    'ecommerce',
    store_id,
    node,
    {{ key64('node') }},
    case
        when canceled_at is not null then 'canceled'
        when fulfilled_at is not null then 'fulfilled'
        else 'created'
    end,
    ordered_at,
    fulfilled_at,
    amount, null, null, null, amount as total,
    null,
    pos_order_id,
    {{ build_no() }}
from placed
