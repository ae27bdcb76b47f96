with

due as (

    {{ with_store('replenishment_due') }}

),

people as (

    {{ with_person('due', ['last_order_at', 'favourite_store_id']) }}

)

{{ flow_candidates(
    'people',
    trigger_key="'replenish:' || coalesce(" ~ json_text('properties', ['product_id']) ~ ", '') || ':' || coalesce("
        ~ json_text('properties', ['due_on']) ~ ', cast(cast(occurred_at as date) as varchar))',
    superseded_if='last_order_at > occurred_at',
    context=told_of_product({
        'due_on': json_text('properties', ['due_on']), 'store_name': 'store_name', 'last_order_at': 'last_order_at',
    }),
) }}
