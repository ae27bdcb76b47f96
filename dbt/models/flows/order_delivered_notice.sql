with

orders as (

    {{ orders_of('cart_status_updated', status='delivery_finished') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':delivery_finished'",
    superseded_if='status_rank > 60',
    context=order_context(),
) }}
