{{ config(
    materialized='incremental', incremental_strategy='append',
    pre_hook=["{{ drop_rhythms_of_changed_people() }}"],
) }}

{#- How often each shopper buys each product: the median of the days of the calendar, where she is, between the days on
    which she did. Several purchases in a day are one. What a till calls void, or somebody else's, is left out when its news
    come. Cost follows the news: read anew are the people of whom an order has changed. -#}
{%- set time_zone = "coalesce(customers.time_zone, '" ~ var('time_zone') ~ "')" -%}

with

touched as (

    {{ people_who_bought() }}

),

hers as (

    select
        map.customer_id,
        orders.*,
        cast({{ local_time('orders.completed_at', time_zone) }} as date) as bought_on
    from touched
    inner join {{ ref('int_identity__map') }} as map on touched.customer_id = map.customer_id
    inner join {{ ref('int_orders') }} as orders on map.record_key = orders.record_key
    left join {{ ref('dim_customers') }} as customers on map.customer_id = customers.customer_id
    where orders.status in ('completed', 'fulfilled')
        and orders.completed_at is not null
        and {{ is_counted_order('orders') }}

),

carts as (

    select cart_id, products from {{ ref('int_carts') }}
    where 'jane-' || cart_id in (select hers.order_id from hers)

),

cart_lines as (

    {{ cart_lines('carts') }}

),

bought as (

    select
        hers.customer_id,
        hers.node,
        hers.store_id,
        hers.completed_at,
        hers.bought_on,
        hers.order_id,
        order_lines.product_id,
        order_lines.product_name,
        order_lines.category
    from hers
    inner join {{ ref('fct_order_lines') }} as order_lines on hers.order_id = order_lines.order_id

    union all

    select
        hers.customer_id,
        hers.node,
        hers.store_id,
        hers.completed_at,
        hers.bought_on,
        hers.order_id,
        cart_lines.product_id,
        cart_lines.product_name,
        null
    from hers
    inner join cart_lines on hers.order_id = 'jane-' || cart_lines.cart_id

),

visits as (

    select
        customer_id,
        product_id,
        bought_on,
        max(completed_at) as bought_at
    from bought
    where product_id is not null
    group by customer_id, product_id, bought_on

),

gaps as (

    select
        *,
        bought_on - lag(bought_on) over (partition by customer_id, product_id order by bought_on) as days
    from visits

),

rhythms as (

    select
        customer_id,
        product_id,
        cast(count(*) as integer) as times_bought,
        max(bought_at) as last_bought_at,
        -- half a day is rounded up
        cast(floor(percentile_cont(0.5) within group (order by days) + 0.5) as integer) as usual_days
    from gaps
    group by customer_id, product_id

),

described as (

    select
        customer_id,
        product_id,
        (array_agg(node order by completed_at desc, order_id))[1] as node,
        (array_agg(store_id order by completed_at desc, order_id))[1] as store_id,
        (array_agg(product_name order by completed_at desc, order_id))[1] as product_name,
        (array_agg(category order by completed_at desc, order_id) filter (where category is not null))[1] as category
    from bought
    where product_id is not null
    group by customer_id, product_id

)

select
    rhythms.customer_id,
    rhythms.product_id,
    described.node,
    described.store_id,
    described.product_name,
    described.category,
    rhythms.times_bought,
    rhythms.last_bought_at,
    rhythms.usual_days,
    {{ build_no() }} as changed_build_no
from rhythms
inner join described on rhythms.customer_id = described.customer_id and rhythms.product_id = described.product_id
