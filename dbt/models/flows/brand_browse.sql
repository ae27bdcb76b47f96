with

looks as (

    {{ looks_at('viewed_brand') }}

)

{{ flow_candidates(
    'looks',
    trigger_key='trigger_event_id',
    superseded_if='carted_at > occurred_at or last_order_at > occurred_at',
    filters={
        'names_brand': json_text('properties', ['brand']) ~ ' is not null',
    },
    context=told_of_product({'store_name': 'store_name'}),
) }}
