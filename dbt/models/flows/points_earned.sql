with

told as (

    {{ flow_triggers('points_added', reasons=['purchase', 'offline_purchase']) }}

),

people as (

    {{ with_person('told', ['points_balance', 'tier']) }}

)

{{ flow_candidates(
    'people',
    trigger_key='trigger_event_id',
    context={
        'points_earned': 'amount', 'earned_by': 'reason', 'points_balance': 'points_balance', 'tier': 'coalesce(her_tier, tier)',
        'note': json_text('properties', ['note']),
    },
) }}
