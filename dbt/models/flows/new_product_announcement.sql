with

wanted as (

    {{ wanted_products('new_product_added') }}

)

{{ flow_candidates(
    'wanted',
    trigger_key="'new:' || product_id || '@' || coalesce(store_id, '')",
    superseded_if='available <= 0',
    context=product_context(),
) }}
