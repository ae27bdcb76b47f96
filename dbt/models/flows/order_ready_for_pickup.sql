with

triggers as (

    {{ flow_triggers('cart_status_updated') }}

),

ready as (

    select
        triggers.*,
        carts.cart_id,
        carts.store_name,
        carts.amount as cart_amount,
        carts.pos_order_id,
        carts.products,
        carts.status_rank
    from triggers
    inner join {{ ref('int_carts') }} as carts on triggers.object_id = carts.cart_id
    where triggers.status = 'ready_for_pickup'

)

{{ flow_candidates(
    'ready',
    trigger_key="'order:' || cart_id || ':ready_for_pickup'",
    superseded_if='status_rank > 50',
    context={
        'cart_id': 'cart_id', 'order_id': 'pos_order_id', 'order_amount': 'cart_amount', 'store_name': 'store_name',
        'products': 'products',
    },
) }}
