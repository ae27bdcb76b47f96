with

orders as (

    {{ orders_of('payment_failed') }}

),

later as (

    {#- what came of the order since -#}
    {{ later_events('orders', 'object_id', ['payment_succeeded', 'order_completed', 'order_canceled']) }}

),

failed as (

    select
        orders.*,
        later.later_at as settled_at
    from orders
    left join later on orders.object_id = later.object_id

)

{{ flow_candidates(
    'failed',
    trigger_key="'order:' || order_key || ':payment_failed'",
    superseded_if='settled_at > occurred_at',
    context=order_context({'failure_reason': 'reason'}),
) }}
