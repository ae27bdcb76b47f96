with

created as (

    {#- a profile of the loyalty programme waits for the shopper to register: that is another flow's -#}
    select * from (
        {{ flow_triggers(['customer_created', 'member_account_registered']) }}
    ) as triggers
    where event_name <> 'member_activated'

),

people as (

    {{ with_person('created', ['points_balance', 'tier', 'tier_expires_at']) }}

),

imports as (

    {#- who came with an import or from another system has not just walked in -#}
    select distinct map.customer_id
    from {{ ref('int_events') }} as events
    inner join {{ ref('int_identity__map') }} as map on events.record_key = map.record_key
    where events.event_name = 'member_activated'
        and events.reason in ('imported', 'third_party_sync')
        and events.occurred_at >= {{ as_of() }} - interval '35 days'
        and map.customer_id in (select people.customer_id from people)

),

newcomers as (

    select * from people
    where event_name = 'member_account_registered'
        or customer_id is null
        or customer_id not in (select imports.customer_id from imports)

)

{{ flow_candidates(
    'newcomers',
    trigger_key="'welcome'",
    context={
        'points_balance': 'points_balance', 'tier': 'her_tier', 'tier_expires_at': iso_utc('tier_expires_at'),
        'welcome_points': 'amount', 'source': 'source',
    },
) }}
