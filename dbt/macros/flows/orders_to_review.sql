{#- The occurrences of what asks for a review, each with its order and with when that was last reviewed: `reviewed_at`. -#}
{% macro orders_to_review(event_names) -%}
    with

    orders as (

        {{ orders_of(event_names) }}

    ),

    later as (

        {{ later_events('orders', 'object_id', ['completed_product_review', 'item_reviewed']) }}

    )

    select
        orders.*,
        later.later_at as reviewed_at
    from orders
    left join later on orders.object_id = later.object_id
{%- endmacro %}
