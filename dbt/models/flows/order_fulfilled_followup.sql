with

orders as (

    {{ orders_of('order_fulfilled') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':fulfilled'",
    superseded_if='canceled_at > occurred_at',
    context=order_context(),
) }}
