with

rewards as (

    select
        triggers.*,
        {{ utc_timestamp(json_text('triggers.properties', ['expired_at'])) }} as reward_expires_at
    from (
        {{ flow_triggers('reward_issued') }}
    ) as triggers

),

people as (

    {{ with_person('rewards', ['points_balance']) }}

)

{{ flow_candidates(
    'people',
    trigger_key='trigger_event_id',
    superseded_if='reward_expires_at <= ' ~ as_of(),
    context={
        'reward_type': 'reward_type', 'reward_name': json_text('properties', ['name']),
        'discount_code': json_text('properties', ['discount_code']), 'expires_at': iso_utc('reward_expires_at'),
        'issued_by': 'reason', 'tier': 'tier', 'points_balance': 'points_balance',
    },
) }}
