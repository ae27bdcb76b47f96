{{ config(materialized='table') }}

{#- The occurrences that this moment must look at: those it sees for the first time, and those whose window was still
    open at the moment before. Older ones were decided then. -#}
with

flow_settings as (

    select
        trigger_event,
        min(active_since) as active_since,
        max(window_seconds) as window_seconds
    from {{ source('ops', 'flow_settings') }}
    where status in ('active', 'dry_run')
    group by trigger_event

),

events as (

    select * from {{ ref('int_events') }}

),

audience_changes as (

    select * from {{ ref('audience_changes') }}
    where change = 'entered' and not is_baseline

),

occurrences as (

    select
        events.event_id as trigger_event_id,
        events.event_name,
        events.occurred_at,
        events.node,
        events.record_key,
        cast(null as varchar) as entered_customer_id,
        events.object_type,
        events.object_id,
        events.status,
        events.reason,
        events.amount,
        events.properties,
        {{ is_news('events.seq') }} as is_first_seen
    from events
    inner join flow_settings on events.event_name = flow_settings.trigger_event
    where events.occurred_at >= flow_settings.active_since
        and events.occurred_at <= {{ as_of() }}
        and (
            {{ is_news('events.seq') }}
            or {{ add_seconds('events.occurred_at', 'flow_settings.window_seconds') }} >= {{ last_as_of() }}
        )

    union all

    select
        md5(concat_ws(
            '|', audience_changes.audience_name, audience_changes.customer_id,
            cast(audience_changes.changed_at as varchar)
        )),
        'audience_entered:' || audience_changes.audience_name,
        audience_changes.changed_at,
        anchors.node,
        anchors.record_key,
        audience_changes.customer_id,
        'audience',
        audience_changes.audience_name,
        null, null, null, '{}',
        audience_changes.build_no > {{ cursor('build_no') }}
    from audience_changes
    inner join flow_settings
        on 'audience_entered:' || audience_changes.audience_name = flow_settings.trigger_event
    -- the record that the person is named after stands for her, whoever she is part of later
    left join {{ ref('int_identity__map') }} as anchors
        on {{ anchor_record_key('audience_changes.customer_id') }} = anchors.record_key
    where audience_changes.changed_at >= flow_settings.active_since
        and (
            audience_changes.build_no > {{ cursor('build_no') }}
            or {{ add_seconds('audience_changes.changed_at', 'flow_settings.window_seconds') }} >= {{ last_as_of() }}
        )

)

select * from occurrences
