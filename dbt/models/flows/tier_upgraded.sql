with

told as (

    select * from (
        {{ flow_triggers('tiers_updated') }}
    ) as triggers
    where reason in ('spending_upgrade')

),

people as (

    {{ with_person('told', ['points_balance', 'tier_expires_at']) }}

)

{{ flow_candidates(
    'people',
    trigger_key='trigger_event_id',
    context={
        'old_tier': json_text('properties', ['old_tier']), 'new_tier': 'tier',
        'tier_expires_at': iso_utc('tier_expires_at'), 'points_balance': 'points_balance',
        'benefits': json_text('properties', ['benefits']), 'next_tier': json_text('properties', ['next_tier']),
        'spend_to_next_tier': json_text('properties', ['spend_to_next_tier']),
    },
) }}
