with

triggers as (

    select
        notices.*,
        {{ utc_timestamp(json_text('notices.properties', ['expired_at'])) }} as notice_expires_at
    from (
        {{ flow_triggers('points_expiring') }}
    ) as notices

),

expiring as (

    {{ with_person('triggers', ['points_balance', 'tier', 'favourite_category']) }}

)

{{ flow_candidates(
    'expiring',
    trigger_key="'points:' || coalesce(cast(cast(notice_expires_at as date) as varchar), trigger_event_id)",
    superseded_if='notice_expires_at <= ' ~ as_of(),
    filters={
        'has_points_to_lose': 'coalesce(points_balance, amount) > 0',
    },
    context={
        'points_expiring': 'amount', 'points_balance': 'points_balance', 'points_expire_at': 'notice_expires_at',
        'tier': 'her_tier', 'favourite_category': 'favourite_category',
    },
) }}
