with

orders as (

    {{ orders_of('item_not_reviewed') }}

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
    trigger_key="'review_request:' || coalesce(order_key, trigger_event_id)",
    superseded_if='status_rank = 80 or reviewed_at > occurred_at',
    context=order_context(told_of_product()),
) }}
