with

orders as (

    {{ orders_of('cart_status_updated', status='delivery_started') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':delivery_started'",
    superseded_if='status_rank > 50',
    context=order_context(),
) }}
