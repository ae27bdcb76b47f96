with

activated as (

    {#- who came with an import or from another system did not begin to register -#}
    select * from (
        {{ flow_triggers('member_activated') }}
    ) as triggers
    where coalesce(reason, '') not in ('imported', 'third_party_sync')

),

people as (

    {{ with_person('activated', ['points_balance', 'tier']) }}

),

later as (

    {{ later_events('people', 'record_key', ['member_account_registered']) }}

),

unregistered as (

    select
        people.*,
        later.later_at as registered_at
    from people
    left join later on people.record_key = later.record_key

)

{{ flow_candidates(
    'unregistered',
    trigger_key="'welcome'",
    superseded_if='registered_at is not null',
    context={'points_balance': 'points_balance', 'tier': 'her_tier', 'activated_by': 'reason'},
) }}
