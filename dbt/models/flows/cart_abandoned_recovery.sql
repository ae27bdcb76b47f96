with

carts as (

    {{ carts_of('cart_abandoned') }}

),

activities as (

    {#- what she did with the cart before the silence; touching it again makes the next silence a new occurrence -#}
    select object_id as cart_id, occurred_at as activity_at
    from {{ ref('int_events') }}
    where object_type = 'cart'
        and event_name in ('cart_updated', 'added_to_cart', 'removed_from_cart', 'checkout_started')
        and object_id in (select cart_id from carts)

),

last_activities as (

    select
        carts.trigger_event_id,
        max(activities.activity_at) as last_activity_at
    from carts
    inner join activities on carts.cart_id = activities.cart_id and carts.occurred_at >= activities.activity_at
    group by carts.trigger_event_id

),

abandoned as (

    select
        carts.*,
        coalesce(last_activities.last_activity_at, carts.cart_created_at) as last_activity_at
    from carts
    left join last_activities on carts.trigger_event_id = last_activities.trigger_event_id

)

{{ flow_candidates(
    'abandoned',
    trigger_key="'cart:' || cart_id || '@' || coalesce(cast(last_activity_at as varchar), '')",
    superseded_if='is_ordered',
    filters={},
    context=cart_context(),
) }}
