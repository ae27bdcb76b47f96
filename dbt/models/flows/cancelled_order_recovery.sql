with

orders as (

    {{ orders_of('cart_status_updated') }}

),

canceled as (

    select * from orders
    where status in ('cancelled', 'dismissed')

),

people as (

    {{ with_person('canceled', ['last_order_at', 'orders_count']) }}

)

{#- what to write depends on who called it off: her own change of mind is won back, the store's needs help first -#}
{{ flow_candidates(
    'people',
    trigger_key="'order:' || order_key || ':canceled'",
    superseded_if='last_order_at > occurred_at',
    context=order_context({
        'canceled_by': 'canceled_by',
        'approach': "case when canceled_by = 'store' then 'support' when orders_count > 0 then 'reorder' else 'winback' end",
    }),
) }}
