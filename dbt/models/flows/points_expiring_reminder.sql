with

triggers as (

    {{ flow_triggers('points_expiring') }}

),

expiring as (

    select
        triggers.*,
        traits.points_balance,
        traits.tier,
        traits.favourite_category,
        {{ utc_timestamp(json_text('triggers.properties', ['expired_at'])) }} as points_expire_at
    from triggers
    left join {{ ref('int_identity__map') }} as map on triggers.record_key = map.record_key
    left join {{ ref('customer_traits') }} as traits on map.customer_id = traits.customer_id

)

{{ flow_candidates(
    'expiring',
    trigger_key="'points:' || coalesce(cast(cast(points_expire_at as date) as varchar), trigger_event_id)",
    superseded_if='points_expire_at <= ' ~ as_of(),
    filters={
        'has_points_to_lose': 'coalesce(points_balance, amount) > 0',
    },
    context={
        'points_expiring': 'amount', 'points_balance': 'points_balance', 'points_expire_at': 'points_expire_at',
        'tier': 'tier', 'favourite_category': 'favourite_category',
    },
) }}
