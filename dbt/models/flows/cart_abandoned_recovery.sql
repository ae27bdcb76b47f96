with

triggers as (

    {{ flow_triggers('cart_abandoned') }}

),

activities as (

    {#- what she did with the cart before the silence; touching it again makes the next silence a new occurrence -#}
    select object_id as cart_id, occurred_at as activity_at
    from {{ ref('int_events') }}
    where object_type = 'cart'
        and event_name in ('cart_updated', 'added_to_cart', 'removed_from_cart', 'checkout_started')
        and object_id in (select object_id from triggers)

),

last_activities as (

    select
        triggers.trigger_event_id,
        max(activities.activity_at) as last_activity_at
    from triggers
    inner join activities
        on triggers.object_id = activities.cart_id and triggers.occurred_at >= activities.activity_at
    group by triggers.trigger_event_id

),

abandoned as (

    select
        triggers.*,
        carts.cart_id,
        carts.store_name,
        carts.reservation_mode,
        coalesce(carts.amount, triggers.amount) as cart_amount,
        carts.products,
        carts.status_rank,
        carts.ordered_at,
        coalesce(last_activities.last_activity_at, carts.created_at) as last_activity_at
    from triggers
    inner join {{ ref('int_carts') }} as carts on triggers.object_id = carts.cart_id
    left join last_activities on triggers.trigger_event_id = last_activities.trigger_event_id

)

{{ flow_candidates(
    'abandoned',
    trigger_key="'cart:' || cart_id || '@' || coalesce(cast(last_activity_at as varchar), '')",
    superseded_if='ordered_at is not null or status_rank >= 20',
    filters={},
    context={
        'cart_id': 'cart_id', 'cart_amount': 'cart_amount', 'store_name': 'store_name',
        'reservation_mode': 'reservation_mode', 'products': 'products',
    },
) }}
