with

carts as (

    {{ carts_of('added_to_cart') }}

)

{{ flow_candidates(
    'carts',
    trigger_key='trigger_event_id',
    superseded_if='is_ordered',
    context=cart_context(told_of_product()),
) }}
