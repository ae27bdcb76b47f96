{{ config(materialized='table') }}

{#- Each candidate with the person it is about and the first gate that it fails, of those that need no earlier decision.
    The gates stand in their order in the `case` at the end; `reasons` has a sentence for each. -#}
with

candidates as (

    select * from {{ ref('int_flow_candidates') }}

),

flow_settings as (

    select * from {{ source('ops', 'flow_settings') }}
    where status in ('active', 'dry_run')

),

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

age_rules as (

    select * from {{ ref('age_rules') }}

),

quiet_hours as (

    select * from {{ ref('quiet_hours') }}

),

people as (

    select
        candidates.*,
        flow_settings.flow_version,
        flow_settings.status as flow_status,
        flow_settings.display_name,
        flow_settings.kind,
        flow_settings.window_seconds,
        flow_settings.channels as flow_channels,
        flow_settings.destination,
        flow_settings.reentry_days,
        flow_settings.concurrent,
        flow_settings.max_duration_seconds,
        flow_settings.holdout_percent,
        flow_settings.rank,
        flow_settings.grace_seconds,
        flow_settings.email_unless_opted_out,
        flow_settings.from_name,
        flow_settings.from_address,
        flow_settings.offer,
        flow_settings.utm_campaign,
        customers.customer_id,
        customers.email,
        customers.phone,
        customers.flowhub_customer_id,
        customers.first_name,
        customers.birth_date,
        customers.programme,
        customers.email_consent,
        customers.sms_consent,
        customers.is_email_suppressed,
        customers.is_sms_suppressed,
        customers.has_conflict,
        coalesce(customers.state, '*') as state,
        coalesce(customers.time_zone, '{{ var("time_zone") }}') as time_zone,
        {{ add_seconds('candidates.triggered_at', 'flow_settings.window_seconds') }} as window_ends_at,
        md5(concat_ws(
            '|', candidates.flow_name, candidates.trigger_key, candidates.node,
            case when flow_settings.status = 'dry_run' then 'dry_run' end
        )) as decision_id
    from candidates
    inner join flow_settings on candidates.flow_name = flow_settings.flow_name
    left join map on candidates.record_key = map.record_key
    left join customers on map.customer_id = customers.customer_id
    where candidates.triggered_at >= flow_settings.active_since

),

aged as (

    select
        people.*,
        {{ local_time(as_of(), 'people.time_zone') }} as local_now,
        coalesce(
            (
                select min(minimum_age) from age_rules
                where age_rules.state = people.state and age_rules.programme = people.programme
            ),
            (
                select min(minimum_age) from age_rules
                where age_rules.state = '*' and age_rules.programme = people.programme
            ),
            21
        ) as minimum_age,
        (
            select max(opens_at) from quiet_hours
            where quiet_hours.state in (people.state, '*') and quiet_hours.valid_from <= cast({{ as_of() }} as date)
                and (quiet_hours.state = people.state or people.state not in (
                    select state from quiet_hours where valid_from <= cast({{ as_of() }} as date)
                ))
        ) as opens_at,
        (
            select min(closes_at) from quiet_hours
            where quiet_hours.state in (people.state, '*') and quiet_hours.valid_from <= cast({{ as_of() }} as date)
                and (quiet_hours.state = people.state or people.state not in (
                    select state from quiet_hours where valid_from <= cast({{ as_of() }} as date)
                ))
        ) as closes_at
    from people

),

reached as (

    select
        aged.*,
        flow_channels like '%sms%' and phone is not null as has_sms_address,
        flow_channels like '%email%' and email is not null as has_email_address,
        -- marketing needs a yes; what serves an order needs only that nobody said stop
        flow_channels like '%sms%' and phone is not null and (
            sms_consent = 'opted_in' or (kind = 'transactional' and sms_consent <> 'opted_out')
            or (kind = 'transactional' and not is_sms_suppressed)
        ) as may_sms,
        flow_channels like '%email%' and email is not null and (
            email_consent = 'opted_in' or (email_unless_opted_out and email_consent <> 'opted_out')
            or (kind = 'transactional' and not is_email_suppressed)
        ) as may_email,
        (flow_channels like '%sms%' and phone is not null and sms_consent = 'unknown')
            or (flow_channels like '%email%' and email is not null and email_consent = 'unknown') as may_still_consent,
        cast(local_now as date) - interval '1 year' * minimum_age as must_be_born_by
    from aged

)

select
    reached.*,
    case
        when is_superseded then 'superseded'
        when is_first_seen and window_ends_at < {{ as_of() }} then 'late'
        when customer_id is null then 'unknown_person'
        when has_conflict and kind = 'marketing' then 'conflict'
        when not has_sms_address and not has_email_address then 'no_identifier'
        when kind = 'marketing' and birth_date > must_be_born_by then 'under_age'
        when kind = 'marketing' and birth_date is null then 'age_unknown'
        when kind = 'marketing' and not may_sms and not may_email then 'no_consent'
        when not may_sms and not may_email then 'suppressed'
        when failed_filter is not null then 'filter:' || failed_filter
        when not is_first_seen and window_ends_at < {{ as_of() }} then 'late'
    end as reason,
    -- a curable reason waits for news of the person until the window ends
    case
        when is_superseded or (is_first_seen and window_ends_at < {{ as_of() }}) then false
        when customer_id is null then true
        when has_conflict and kind = 'marketing' then false
        when not has_sms_address and not has_email_address then true
        when kind = 'marketing' and birth_date > must_be_born_by then false
        when kind = 'marketing' and birth_date is null then true
        when kind = 'marketing' and not may_sms and not may_email then may_still_consent
        else false
    end as is_curable,
    case
        when kind = 'transactional' then {{ as_of() }}
        when cast(local_now as time) < cast(opens_at as time)
            then {{ utc_time('cast(local_now as date) + cast(opens_at as time)', 'time_zone') }}
        when cast(local_now as time) >= cast(closes_at as time)
            then {{ utc_time(
                "cast(cast(local_now as date) + interval '1 day' as date) + cast(opens_at as time)", 'time_zone'
            ) }}
        else {{ as_of() }}
    end as not_before
from reached
