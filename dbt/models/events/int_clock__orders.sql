{{ config(materialized='table', tags=['clock']) }}

{#- What is due because of orders.
    Nothing reviewed: seven days of the calendar, where she is, after she had the goods no word of a review is here, neither
    about the order nor, without an order, by her since. Looked at are the orders whose week was over since the moment
    before, and those with news.
    Used up: so many days of the calendar after she last bought a product as she usually lets pass, or, where she bought it on
    fewer than three days, as others do with its category. Looked at are the days that the clock crossed, the people with
    news, and all of a category whose rhythm has changed.
    What was due five weeks ago is past, so that a first sync of years brings no flood. -#}
{%- set a_day = "interval '1 day'" -%}
{%- set review_after = "interval '7 days'" -%}
{%- set past_after = "interval '35 days'" -%}
{%- set time_zone = "coalesce(customers.time_zone, '" ~ var('time_zone') ~ "')" -%}

with

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

orders as (

    {#- a day more on each side than the clock moved: it is another day elsewhere -#}
    select present.*
    from {{ ref('int_orders') }} as present
    where present.status in ('completed', 'fulfilled')
        and present.completed_at <= {{ as_of() }} - {{ review_after }} + {{ a_day }}
        and present.completed_at > {{ as_of() }} - {{ review_after }} - {{ past_after }} - {{ a_day }}
        and (
            present.completed_at >= {{ last_as_of() }} - {{ review_after }} - {{ a_day }}
            or {{ changed_since('present.changed_build_no') }}
        )
        -- somebody, or at least a device, whom a message could reach one day
        and present.node not like 'jane_cart:%'
        and {{ is_counted_order('present') }}

),

carts as (

    {#- an order is Jane's cart, or the till's order that took it over: both are one -#}
    select
        order_id,
        min(cart_id) as cart_id,
        min(pos_order_id) as pos_order_id,
        bool_or(jane_status = 'with_review') as is_reviewed
    from (
        select 'jane-' || cart_id as order_id, cart_id, pos_order_id, jane_status from {{ ref('int_carts') }}
        union all
        select pos_order_id as order_id, cart_id, pos_order_id as till_order_id, jane_status from {{ ref('int_carts') }}
        where pos_order_id is not null
    ) as names
    where order_id in (select orders.order_id from orders)
    group by order_id

),

fulfilled as (

    select
        orders.*,
        carts.cart_id,
        coalesce(carts.pos_order_id, orders.pos_order_id) as till_order_id,
        coalesce(carts.is_reviewed, false) as is_reviewed,
        coalesce(map.customer_id, orders.node) as who,
        {{ time_zone }} as time_zone
    from orders
    left join carts on orders.order_id = carts.order_id
    left join map on orders.record_key = map.record_key
    left join customers on map.customer_id = customers.customer_id

),

reviews as (

    select
        partner_events.event_name,
        partner_events.object_id as order_id,
        partner_events.occurred_at,
        coalesce(map.customer_id, partner_events.node) as who
    from {{ ref('int_events__partners') }} as partner_events
    left join map on {{ key64('partner_events.node') }} = map.record_key
    where partner_events.event_name in ('completed_product_review', 'item_reviewed', 'item_not_reviewed')
        and partner_events.occurred_at > {{ as_of() }} - {{ review_after }} - {{ past_after }} - {{ a_day }}

),

told as (

    {#- whatever name the partner gives the order; one that told of the silence itself was first -#}
    select fulfilled.order_id
    from fulfilled
    inner join reviews on fulfilled.order_id = reviews.order_id
    union
    select fulfilled.order_id
    from fulfilled
    inner join reviews on fulfilled.cart_id = reviews.order_id
    union
    select fulfilled.order_id
    from fulfilled
    inner join reviews on 'jane-' || fulfilled.cart_id = reviews.order_id
    union
    select fulfilled.order_id
    from fulfilled
    inner join reviews on fulfilled.till_order_id = reviews.order_id
    union
    select fulfilled.order_id
    from fulfilled
    inner join reviews on fulfilled.who = reviews.who and fulfilled.completed_at <= reviews.occurred_at
    where reviews.order_id is null and reviews.event_name <> 'item_not_reviewed'

),

unreviewed as (

    select
        fulfilled.*,
        {{ utc_time(
            local_time('fulfilled.completed_at', 'fulfilled.time_zone') ~ ' + ' ~ review_after, 'fulfilled.time_zone'
        ) }} as due_at
    from fulfilled
    where not fulfilled.is_reviewed and fulfilled.order_id not in (select told.order_id from told)

),

usual as (

    select
        rhythms.*,
        case when rhythms.times_bought >= 3 then rhythms.usual_days else categories.usual_days end as days,
        case when rhythms.times_bought >= 3 then 'own' else 'category' end as basis,
        {{ changed_since('rhythms.changed_build_no') }}
            or coalesce({{ changed_since('categories.changed_build_no') }}, false) as has_news
    from {{ ref('int_purchase_rhythms') }} as rhythms
    left join {{ ref('int_category_rhythms') }} as categories on rhythms.category = categories.category

),

used_up as (

    {#- a day more on each side than the clock moved: it is another day elsewhere -#}
    select
        usual.*,
        cast({{ local_time('usual.last_bought_at', time_zone) }} + usual.days * {{ a_day }} as date) as due_on,
        {{ utc_time(local_time('usual.last_bought_at', time_zone) ~ ' + usual.days * ' ~ a_day, time_zone) }} as due_at
    from usual
    left join customers on usual.customer_id = customers.customer_id
    where usual.last_bought_at + usual.days * {{ a_day }} <= {{ as_of() }} + {{ a_day }}
        and usual.last_bought_at + usual.days * {{ a_day }} > {{ as_of() }} - {{ past_after }} - {{ a_day }}
        and (usual.last_bought_at + usual.days * {{ a_day }} >= {{ last_as_of() }} - {{ a_day }} or usual.has_news)

)

select
    'item_not_reviewed' as event_name,
    'review:' || coalesce('jane-' || cart_id, order_id) as subject,
    cast(null as timestamp) as since,
    due_at as occurred_at,
    node,
    store_id,
    'order' as object_type,
    order_id as object_id,
    total as amount,
    {{ json_object({
        'order_id': 'order_id', 'cart_id': 'cart_id', 'fulfilled_at': iso_utc('completed_at'),
    }) }} as properties
from unreviewed
where due_at <= {{ as_of() }} and due_at > {{ as_of() }} - {{ past_after }}

union all

select
    'replenishment_due',
    'replenishment:' || node || ':' || product_id,
    last_bought_at,
    due_at,
    node,
    store_id,
    null, null, null,
    {{ json_object({
        'product_id': 'product_id', 'product_name': 'product_name', 'category': 'category',
        'due_on': 'cast(due_on as varchar)', 'usual_days': 'days', 'basis': 'basis',
        'last_bought_at': iso_utc('last_bought_at'),
    }) }}
from used_up
where due_at <= {{ as_of() }} and due_at > {{ as_of() }} - {{ past_after }}
