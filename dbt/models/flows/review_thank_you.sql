with

orders as (

    {{ orders_of('completed_product_review') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'review:' || coalesce(order_key, trigger_event_id)",
    context=order_context(told_of_product({'rating': json_text('properties', ['rating'])})),
) }}
