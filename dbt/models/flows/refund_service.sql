with

orders as (

    {{ orders_of('order_refunded') }}

)

{#- a refund has an id of its own: two refunds of one order are two occurrences -#}
{{ flow_candidates(
    'orders',
    trigger_key="'order:' || order_key || ':refunded'",
    context=order_context({
        'refund_amount': 'abs(amount)',
        'original_order_id': json_text('properties', ['original_order_id']),
    }),
) }}
