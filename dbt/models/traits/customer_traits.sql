{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id',
    post_hook=["{{ drop_merged_customers() }}"],
) }}

{#- Cost follows the news: a person is computed again when something about her arrived, or when a windowed value of hers
    changes by the clock alone (`next_change_at`). -#}
{%- set at_risk = "interval '" ~ var('at_risk_after_days') ~ " days'" -%}
{%- set lapsed = "interval '" ~ var('lapsed_after_days') ~ " days'" -%}

with

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

orders as (

    select * from {{ ref('int_orders') }} as present
    where {{ is_counted_order('present') }}

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}

),

loyalty_accounts as (

    select * from {{ ref('int_loyalty_accounts') }}

),

touched as (

    select customer_id from customers where {{ changed_since() }}
    union
    select map.customer_id from map where {{ changed_since('map.changed_build_no') }}
    union
    select map.customer_id
    from map inner join orders on map.record_key = orders.record_key
    where {{ changed_since('orders.changed_build_no') }}
    union
    select map.customer_id
    from map inner join loyalty_accounts on map.record_key = loyalty_accounts.record_key
    where {{ changed_since('loyalty_accounts.changed_build_no') }}
    {%- if is_incremental() %}
    union
    select customer_id from {{ this }} where next_change_at <= {{ as_of() }}
    {%- endif %}

),

hers as (

    select
        map.customer_id,
        orders.*,
        coalesce(orders.completed_at, orders.created_at) as ordered_at,
        -- a refund is an order of its own: it takes money back, whatever its sign, and is no visit
        orders.status <> 'refunded' as is_purchase,
        case when orders.status = 'refunded' then -abs(orders.total) else orders.total end as worth
    from map
    inner join orders on map.record_key = orders.record_key
    where map.customer_id in (select customer_id from touched)
        and orders.status <> 'canceled'

),

purchases as (

    select
        customer_id,
        cast(count(*) filter (where is_purchase) as integer) as orders_count,
        min(ordered_at) filter (where is_purchase) as first_order_at,
        max(ordered_at) filter (where is_purchase) as last_order_at,
        cast(sum(worth) as decimal(18, 2)) as lifetime_value,
        cast(avg(total) filter (where is_purchase) as decimal(18, 2)) as average_order_value,
        cast(coalesce(
            sum(case when ordered_at > {{ as_of() }} - interval '365 days' then worth end), 0
        ) as decimal(18, 2)) as spend_365d,
        min(case when ordered_at > {{ as_of() }} - interval '365 days' then ordered_at end) as oldest_in_year_at,
        (array_agg(budtender order by ordered_at desc) filter (where budtender is not null))[1] as last_budtender
    from hers
    group by customer_id

),

favourite_stores as (

    select customer_id, store_id
    from (
        select
            customer_id,
            store_id,
            row_number() over (partition by customer_id order by count(*) desc, max(ordered_at) desc, store_id) as place
        from hers
        where store_id is not null and is_purchase
        group by customer_id, store_id
    ) as stores
    where place = 1

),

favourite_categories as (

    select customer_id, category
    from (
        select
            hers.customer_id,
            order_lines.category,
            row_number() over (
                partition by hers.customer_id order by sum(order_lines.total) desc, order_lines.category
            ) as place
        from hers
        inner join order_lines on hers.order_id = order_lines.order_id
        where order_lines.category is not null and hers.is_purchase
        group by hers.customer_id, order_lines.category
    ) as categories
    where place = 1

),

loyalty as (

    select
        map.customer_id
        {%- for field in ['points_balance', 'points_expire_at', 'tier', 'tier_expires_at', 'member_status',
                          'birth_month'] %},
        (array_agg(loyalty_accounts.{{ field }} order by loyalty_accounts.{{ field }}_said_at desc)
            filter (where loyalty_accounts.{{ field }} is not null))[1] as {{ field }}
        {%- endfor %}
    from map
    inner join loyalty_accounts on map.record_key = loyalty_accounts.record_key
    where map.customer_id in (select customer_id from touched)
    group by map.customer_id

)

select
    customers.customer_id,
    customers.email_consent,
    customers.sms_consent,
    coalesce(purchases.orders_count, 0) as orders_count,
    purchases.first_order_at,
    purchases.last_order_at,
    coalesce(purchases.lifetime_value, 0) as lifetime_value,
    coalesce(purchases.spend_365d, 0) as spend_365d,
    purchases.average_order_value,
    favourite_categories.category as favourite_category,
    favourite_stores.store_id as favourite_store_id,
    purchases.last_budtender,
    case
        when purchases.last_order_at is null then 'prospect'
        when purchases.last_order_at + {{ lapsed }} <= {{ as_of() }} then 'lapsed'
        when purchases.last_order_at + {{ at_risk }} <= {{ as_of() }} then 'at_risk'
        else 'active'
    end as lifecycle_stage,
    loyalty.points_balance,
    loyalty.points_expire_at,
    loyalty.tier,
    loyalty.tier_expires_at,
    loyalty.member_status,
    coalesce(customers.birth_month, loyalty.birth_month) as birth_month,
    -- the next instant at which a value above changes though nothing arrives
    least(
        case
            when purchases.last_order_at + {{ at_risk }} > {{ as_of() }} then purchases.last_order_at + {{ at_risk }}
        end,
        case
            when purchases.last_order_at + {{ lapsed }} > {{ as_of() }} then purchases.last_order_at + {{ lapsed }}
        end,
        purchases.oldest_in_year_at + interval '365 days',
        case when loyalty.points_expire_at > {{ as_of() }} then loyalty.points_expire_at end
    ) as next_change_at,
    {{ build_no() }} as changed_build_no
from customers
left join purchases on customers.customer_id = purchases.customer_id
left join favourite_stores on customers.customer_id = favourite_stores.customer_id
left join favourite_categories on customers.customer_id = favourite_categories.customer_id
left join loyalty on customers.customer_id = loyalty.customer_id
where customers.customer_id in (select customer_id from touched)
