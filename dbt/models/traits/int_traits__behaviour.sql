{#- What the people whom this moment computes did lately. A score adds up points by event (seed `score_weights`), no
    more than so many a day, and each fades from full to nothing over its days. Days are counted from her own last act back,
    and from it on, so that a score falls once a day, at the hour of that act, and between two falls stands still.
    Only the days in which anything counts are read, which the zone maps find. -#}
{%- set lookback = "interval '" ~ (var('behaviour_days') + 2) ~ " days'" -%}

with

touched as (

    select * from {{ ref('int_traits__touched') }}

),

weights as (

    select * from {{ ref('score_weights') }}

),

recent as (

    select
        record_key,
        event_name,
        occurred_at
    from {{ ref('int_events') }}
    where occurred_at > {{ as_of() }} - {{ lookback }}
        and (event_name in (select event_name from weights) or event_name = 'cart_abandoned')

),

hers as (

    select
        touched.customer_id,
        touched.as_of,
        recent.event_name,
        recent.occurred_at
    from touched
    inner join {{ ref('int_identity__map') }} as map on touched.customer_id = map.customer_id
    inner join recent on map.record_key = recent.record_key

),

purchases as (

    select customer_id, last_order_at from {{ ref('int_traits__orders') }}

),

-- an intent is over when she has bought
acts as (

    select
        hers.customer_id,
        hers.as_of,
        weights.score,
        weights.event_name,
        weights.points,
        weights.most_a_day,
        weights.fades_after_days,
        hers.occurred_at,
        max(hers.occurred_at) over (partition by hers.customer_id, weights.score) as last_act_at
    from hers
    inner join weights on hers.event_name = weights.event_name
    left join purchases on hers.customer_id = purchases.customer_id
    where hers.occurred_at <= hers.as_of
        and (
            weights.score <> 'cart_intent'
            or purchases.last_order_at is null
            or hers.occurred_at > purchases.last_order_at
        )

),

days as (

    select
        customer_id,
        as_of,
        score,
        event_name,
        points,
        fades_after_days,
        last_act_at,
        {{ days_between('last_act_at', 'as_of') }} as days_since,
        {{ days_between('last_act_at', 'as_of') }} + {{ days_between('occurred_at', 'last_act_at') }} as age,
        least(count(*), most_a_day) as counted
    from acts
    group by
        customer_id, as_of, score, event_name, points, most_a_day, fades_after_days, last_act_at,
        {{ days_between('occurred_at', 'last_act_at') }}

),

scores as (

    select
        customer_id,
        score,
        cast(least(greatest(round(sum(
            counted * points * cast(fades_after_days - age as numeric) / fades_after_days
        )), 0), 100) as integer) as points,
        min(last_act_at + (days_since + 1) * interval '1 day') as next_change_at
    from days
    where age < fades_after_days
    group by customer_id, score

),

counts as (

    select
        hers.customer_id,
        {%- for name, (event_name, window) in {
            'cart_removals_7d': ('removed_from_cart', '7 days'),
            'product_views_30d': ('viewed_product', '30 days'),
            'carts_abandoned_7d': ('cart_abandoned', '7 days'),
        }.items() %}
        cast(count(*) filter (
            where hers.event_name = '{{ event_name }}'
                and hers.occurred_at > hers.as_of - interval '{{ window }}' and hers.occurred_at <= hers.as_of
                {%- if event_name == 'cart_abandoned' %}
                and (purchases.last_order_at is null or hers.occurred_at > purchases.last_order_at)
                {%- endif %}
        ) as integer) as {{ name }},
        min(hers.occurred_at + interval '{{ window }}') filter (
            where hers.event_name = '{{ event_name }}' and hers.occurred_at > hers.as_of - interval '{{ window }}'
        ) as {{ name }}_ends_at,
        {%- endfor %}
        coalesce(bool_or(
            hers.event_name = 'active_on_site' and hers.occurred_at > hers.as_of - interval '10 minutes'
            and hers.occurred_at <= hers.as_of
        ), false) as is_active_on_site,
        max(hers.occurred_at + interval '10 minutes') filter (
            where hers.event_name = 'active_on_site' and hers.occurred_at > hers.as_of - interval '10 minutes'
        ) as leaves_site_at,
        -- a clock of a sender that is ahead
        min(hers.occurred_at) filter (where hers.occurred_at > hers.as_of) as first_ahead_at
    from hers
    left join purchases on hers.customer_id = purchases.customer_id
    group by hers.customer_id

)

select
    counts.customer_id,
    coalesce(engagement.points, 0) as engagement_score,
    coalesce(cart_intent.points, 0) as cart_intent_score,
    counts.cart_removals_7d,
    counts.product_views_30d,
    counts.carts_abandoned_7d,
    counts.is_active_on_site,
    least(
        engagement.next_change_at, cart_intent.next_change_at, counts.cart_removals_7d_ends_at,
        counts.product_views_30d_ends_at, counts.carts_abandoned_7d_ends_at, counts.leaves_site_at,
        counts.first_ahead_at
    ) as next_change_at
from counts
left join scores as engagement on counts.customer_id = engagement.customer_id and engagement.score = 'engagement'
left join scores as cart_intent on counts.customer_id = cart_intent.customer_id and cart_intent.score = 'cart_intent'
