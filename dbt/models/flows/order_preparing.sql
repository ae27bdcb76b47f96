with

orders as (

    {{ orders_of('cart_status_updated', status='preparing') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':preparing'",
    superseded_if='status_rank > 40',
    context=order_context(),
) }}
