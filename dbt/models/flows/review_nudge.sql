with

orders as (

    {{ orders_to_review('started_product_review') }}

)

{{ flow_candidates(
    'orders',
    trigger_key="'review:' || coalesce(order_key, trigger_event_id)",
    superseded_if='status_rank = 80 or reviewed_at > occurred_at',
    context=order_context(told_of_product({'rating': json_text('properties', ['rating'])})),
) }}
