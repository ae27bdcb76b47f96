with

looks as (

    {{ looks_at('viewed_category') }}

)

{{ flow_candidates(
    'looks',
    trigger_key='trigger_event_id',
    superseded_if='carted_at > occurred_at or last_order_at > occurred_at',
    filters={
        'names_category': json_text('properties', ['category']) ~ ' is not null',
    },
    context=told_of_product({'store_name': 'store_name'}),
) }}
