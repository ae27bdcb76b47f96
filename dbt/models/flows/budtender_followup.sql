with

visits as (

    {{ with_store('customer_assigned_to_budtender') }}

)

{{ flow_candidates(
    'visits',
    trigger_key='trigger_event_id',
    context=visit_context(),
) }}
