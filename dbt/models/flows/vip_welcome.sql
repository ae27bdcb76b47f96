with

triggers as (

    {{ flow_triggers('audience_entered:vip_customers') }}

),

people as (

    {{ with_person('triggers', ['spend_365d', 'orders_count', 'tier', 'favourite_category']) }}

),

entered as (

    select
        people.*,
        members.customer_id is not null as is_member
    from people
    left join {{ ref('vip_customers') }} as members on people.customer_id = members.customer_id

)

{{ flow_candidates(
    'entered',
    trigger_key="'audience:vip_customers:' || cast(occurred_at as varchar)",
    superseded_if='not is_member',
    context={
        'spend_365d': 'spend_365d', 'orders_count': 'orders_count', 'tier': 'her_tier',
        'favourite_category': 'favourite_category',
    },
) }}
