with

wanted as (

    {{ wanted_products('price_drop') }}

)

{{ flow_candidates(
    'wanted',
    trigger_key="'price:' || product_id || '@' || coalesce(store_id, '') || ':' || coalesce(cast(price as varchar), '') || ':' || since",
    superseded_if='available <= 0 or price_now > price',
    context=product_context({'old_price': 'old_price'}),
) }}
