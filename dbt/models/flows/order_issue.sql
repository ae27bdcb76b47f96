with

orders as (

    {{ orders_of('order_canceled') }}

),

canceled as (

    {#- the till's own tickets are not hers to wait for: only what was ordered online is -#}
    select * from orders
    where cart_id is not null or source <> 'flowhub' or reservation_mode in ('pickup', 'delivery', 'kiosk')

)

{{ flow_candidates(
    'canceled',
    trigger_key="'order:' || order_key || ':canceled'",
    superseded_if="fulfilled_at > occurred_at",
    context=order_context({'canceled_by': 'coalesce(canceled_by, reason)'}),
) }}
