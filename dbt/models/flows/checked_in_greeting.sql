with

visits as (

    {{ with_store('customer_checked_in') }}

)

{{ flow_candidates(
    'visits',
    trigger_key='trigger_event_id',
    context=visit_context({'visit_reason': 'reason'}),
) }}
