with

wanted as (

    {{ wanted_products('low_inventory') }}

)

{{ flow_candidates(
    'wanted',
    trigger_key="'low:' || product_id || '@' || coalesce(store_id, '') || ':' || since",
    superseded_if='available <= 0',
    context=product_context({'available': 'available'}),
) }}
