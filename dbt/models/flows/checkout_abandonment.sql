with

carts as (

    {{ carts_of('checkout_started') }}

)

{{ flow_candidates(
    'carts',
    trigger_key="'checkout:' || coalesce(cart_id, trigger_event_id)",
    superseded_if='is_ordered',
    context=cart_context({'checkout_url': json_text('properties', ['checkout_url'])}),
) }}
