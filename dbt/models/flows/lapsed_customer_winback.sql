with

triggers as (

    {{ flow_triggers('audience_entered:lapsed_customers') }}

),

lapsed as (

    select
        triggers.*,
        traits.orders_count,
        traits.last_order_at,
        traits.lifetime_value,
        traits.favourite_category,
        traits.lifecycle_stage
    from triggers
    -- whoever she is part of by now
    left join {{ ref('int_identity__map') }} as map on triggers.record_key = map.record_key
    left join {{ ref('customer_traits') }} as traits on map.customer_id = traits.customer_id

)

{{ flow_candidates(
    'lapsed',
    trigger_key="'audience:lapsed_customers:' || cast(occurred_at as varchar)",
    superseded_if="lifecycle_stage <> 'lapsed'",
    filters={
        'has_bought_more_than_once': 'orders_count >= 2',
    },
    context={
        'orders_count': 'orders_count', 'last_order_at': 'last_order_at', 'lifetime_value': 'lifetime_value',
        'favourite_category': 'favourite_category',
    },
) }}
