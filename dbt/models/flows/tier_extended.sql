with

told as (

    {{ flow_triggers('tiers_updated', reasons=['spending_extend']) }}

),

people as (

    {{ with_person('told', ['points_balance', 'tier_expires_at']) }}

)

{{ flow_candidates(
    'people',
    trigger_key='trigger_event_id',
    context=tier_context(),
) }}
