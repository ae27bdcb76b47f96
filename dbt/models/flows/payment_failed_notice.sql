with

orders as (

    {{ orders_of('payment_failed') }}

),

later as (

    {#- what came of the order since; a payment is tried again within days -#}
    select object_id, max(occurred_at) as settled_at
    from {{ ref('int_events') }}
    where event_name in ('payment_succeeded', 'order_completed', 'order_canceled')
        and occurred_at >= {{ as_of() }} - interval '35 days'
        and object_id in (select object_id from orders)
    group by object_id

),

failed as (

    select
        orders.*,
        later.settled_at
    from orders
    left join later on orders.object_id = later.object_id

)

{{ flow_candidates(
    'failed',
    trigger_key="'order:' || order_key || ':payment_failed'",
    superseded_if='settled_at > occurred_at',
    context=order_context({'failure_reason': 'reason'}),
) }}
