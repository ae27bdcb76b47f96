with

orders as (

    {{ orders_of('started_product_review') }}

),

later as (

    {{ later_events('orders', 'object_id', ['completed_product_review', 'item_reviewed']) }}

),

unreviewed as (

    select
        orders.*,
        later.later_at as reviewed_at
    from orders
    left join later on orders.object_id = later.object_id

)

{{ flow_candidates(
    'unreviewed',
    trigger_key="'review:' || coalesce(order_key, trigger_event_id)",
    superseded_if='status_rank = 80 or reviewed_at > occurred_at',
    context=order_context(told_of_product({'rating': json_text('properties', ['rating'])})),
) }}
