with

orders as (

    {{ orders_of('cart_status_updated', status='verification') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':verification'",
    superseded_if='status_rank > 20',
    context=order_context(),
) }}
