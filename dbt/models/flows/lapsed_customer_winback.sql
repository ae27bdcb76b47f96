with

triggers as (

    {{ flow_triggers('audience_entered:lapsed_customers') }}

),

lapsed as (

    {{ with_person('triggers', [
        'orders_count', 'last_order_at', 'lifetime_value', 'favourite_category', 'lifecycle_stage',
    ]) }}

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
