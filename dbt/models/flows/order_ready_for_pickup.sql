with

orders as (

    {{ orders_of('cart_status_updated', status='ready_for_pickup') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':ready_for_pickup'",
    superseded_if='status_rank > 50',
    context=order_context(),
) }}
