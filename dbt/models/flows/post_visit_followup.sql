with

visits as (

    {{ with_store('customer_checked_out') }}

)

{{ flow_candidates(
    'visits',
    trigger_key='trigger_event_id',
    context={
        'store_name': 'store_name', 'budtender': json_text('properties', ['budtender']),
        'visit_id': json_text('properties', ['visit_id']),
    },
) }}
