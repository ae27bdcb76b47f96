with

wanted as (

    {{ wanted_products('back_in_stock') }}

)

{{ flow_candidates(
    'wanted',
    trigger_key="'stock:' || product_id || '@' || coalesce(store_id, '') || ':' || since",
    superseded_if='available <= 0',
    context=product_context(),
) }}
