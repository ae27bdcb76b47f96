{#- What orders say of the people whom this moment computes. The scores have fixed thresholds (seed `rfm_thresholds`):
    quintiles over everybody would change everybody's score with each order. -#}
{%- set at_risk = "interval '" ~ var('at_risk_after_days') ~ " days'" -%}
{%- set lapsed = "interval '" ~ var('lapsed_after_days') ~ " days'" -%}

with

touched as (

    select * from {{ ref('int_traits__touched') }}

),

orders as (

    select * from {{ ref('int_orders') }} as present
    where {{ is_counted_order('present') }}

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}

),

thresholds as (

    select
        {%- for measure in ['recency', 'frequency', 'monetary'] %}
        {%- set measure_loop = loop %}
        {%- for score in [5, 4, 3, 2] %}
        max(case when measure = '{{ measure }}' and score = {{ score }} then threshold end) as {{ measure }}_{{ score }}
        {{- ',' if not (measure_loop.last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('rfm_thresholds') }}

),

hers as (

    select
        touched.customer_id,
        touched.as_of,
        orders.*,
        coalesce(orders.completed_at, orders.created_at) as ordered_at,
        coalesce(orders.completed_at, orders.created_at) > touched.as_of - interval '365 days' as is_in_year,
        -- a refund is an order of its own: it takes money back, whatever its sign, and is no visit
        orders.status <> 'refunded' as is_purchase,
        case when orders.status = 'refunded' then -abs(orders.total) else orders.total end as worth
    from touched
    inner join {{ ref('int_identity__map') }} as map on touched.customer_id = map.customer_id
    inner join orders on map.record_key = orders.record_key
    where orders.status <> 'canceled'

),

purchases as (

    select
        customer_id,
        min(as_of) as as_of,
        cast(count(*) filter (where is_purchase) as integer) as orders_count,
        cast(count(*) filter (where is_purchase and is_in_year) as integer) as orders_365d,
        cast(count(*) filter (where not is_purchase and is_in_year) as integer) as refunds_365d,
        min(ordered_at) filter (where is_purchase) as first_order_at,
        max(ordered_at) filter (where is_purchase) as last_order_at,
        cast(sum(worth) as decimal(18, 2)) as lifetime_value,
        cast(avg(total) filter (where is_purchase) as decimal(18, 2)) as average_order_value,
        cast(coalesce(sum(worth) filter (where is_in_year), 0) as decimal(18, 2)) as spend_365d,
        min(ordered_at) filter (where is_in_year) as oldest_in_year_at,
        (array_agg(budtender order by ordered_at desc, order_id)
            filter (where budtender is not null))[1] as last_budtender
    from hers
    group by customer_id

),

favourite_stores as (

    select customer_id, store_id, orders_count
    from (
        select
            customer_id,
            store_id,
            cast(count(*) as integer) as orders_count,
            row_number() over (partition by customer_id order by count(*) desc, max(ordered_at) desc, store_id) as place
        from hers
        where store_id is not null and is_purchase
        group by customer_id, store_id
    ) as stores
    where place = 1

),
{% for favourite in ['category', 'brand'] %}
favourite_{{ favourite }} as (

    select customer_id, {{ favourite }}
    from (
        select
            hers.customer_id,
            order_lines.{{ favourite }},
            row_number() over (
                partition by hers.customer_id order by sum(order_lines.total) desc, order_lines.{{ favourite }}
            ) as place
        from hers
        inner join order_lines on hers.order_id = order_lines.order_id
        where order_lines.{{ favourite }} is not null and hers.is_purchase
        group by hers.customer_id, order_lines.{{ favourite }}
    ) as ranked
    where place = 1

),
{% endfor %}
scored as (

    select
        purchases.*,
        case
            when last_order_at is null then null
            {%- for score in [5, 4, 3, 2] %}
            when last_order_at + thresholds.recency_{{ score }} * interval '1 day' > as_of then {{ score }}
            {%- endfor %}
            else 1
        end as recency_score,
        {%- for measure, value in {'frequency': 'orders_365d', 'monetary': 'spend_365d'}.items() %}
        case
            when last_order_at is null then null
            {%- for score in [5, 4, 3, 2] %}
            when {{ value }} >= thresholds.{{ measure }}_{{ score }} then {{ score }}
            {%- endfor %}
            else 1
        end as {{ measure }}_score,
        {%- endfor %}
        case
            when last_order_at is null then 'prospect'
            when last_order_at + {{ lapsed }} <= as_of then 'lapsed'
            when last_order_at + {{ at_risk }} <= as_of then 'at_risk'
            else 'active'
        end as lifecycle_stage,
        least(
            oldest_in_year_at + interval '365 days',
            {%- for score in [5, 4, 3, 2] %}
            case
                when last_order_at + thresholds.recency_{{ score }} * interval '1 day' > as_of
                    then last_order_at + thresholds.recency_{{ score }} * interval '1 day'
            end,
            {%- endfor %}
            case when last_order_at + {{ at_risk }} > as_of then last_order_at + {{ at_risk }} end,
            case when last_order_at + {{ lapsed }} > as_of then last_order_at + {{ lapsed }} end
        ) as next_change_at
    from purchases
    cross join thresholds

)

select
    scored.*,
    favourite_category.category as favourite_category,
    favourite_brand.brand as favourite_brand,
    favourite_stores.store_id as favourite_store_id,
    favourite_stores.orders_count as favourite_store_orders
from scored
left join favourite_stores on scored.customer_id = favourite_stores.customer_id
left join favourite_category on scored.customer_id = favourite_category.customer_id
left join favourite_brand on scored.customer_id = favourite_brand.customer_id
