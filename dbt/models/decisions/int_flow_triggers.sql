{{ config(materialized='table') }}

{#- The occurrences that this moment must look at: those it sees for the first time, and those whose window was still
    open at the moment before. Older ones were decided then. A flow that waits for an event also looks at what the
    taxonomy calls the same as it, but for what the warehouse itself read out of that event.
    A scheduled moment counts again what came in its last day, whatever earlier moments looked at: no gate is asked
    about that, a test holds it against the decisions (`assert_no_trigger_was_missed`).
    What enrolled somebody who is about to be written to is looked at as well, where its flow asks filters again just
    before the call (`recheck`): for `flow_exits`, no gate is asked about that either. -#}
{%- set is_due = is_news('events.seq') ~ ' or '
    ~ add_seconds('events.occurred_at', 'awaited.window_seconds') ~ ' >= ' ~ last_as_of() -%}
{%- set is_change_due = 'audience_changes.build_no > ' ~ cursor('build_no') ~ ' or '
    ~ add_seconds('audience_changes.changed_at', 'awaited.window_seconds') ~ ' >= ' ~ last_as_of() -%}
{%- set is_looked_at = '(' ~ is_due ~ (
    ' or (events.node is not null and ' ~ is_recounted('events.received_at') ~ ')' if var('recount') else ''
) ~ ')' -%}
{%- set is_change_looked_at = '(' ~ is_change_due ~ (
    ' or ' ~ is_recounted('audience_changes.changed_at') if var('recount') else ''
) ~ ')' -%}
with

flow_settings as (

    select * from {{ source('ops', 'flow_settings') }}
    where status in ('active', 'dry_run')

),

events as (

    select * from {{ ref('int_events') }}

),

audience_changes as (

    select
        *,
        'audience_' || change || ':' || audience_name as event_name
    from {{ ref('audience_changes') }}
    where not is_baseline

),

awaited as (

    {#- the taxonomy is short: a list of names is searched once an event of it, never once an occurrence -#}
    select
        types.event_name,
        max(types.same_as) as same_as,
        bool_or(',' || flow_settings.trigger_event || ',' like '%,' || types.event_name || ',%') as is_named,
        min(flow_settings.active_since) as active_since,
        max(flow_settings.window_seconds) as window_seconds
    from {{ ref('event_types') }} as types
    inner join flow_settings
        on ',' || flow_settings.trigger_event || ',' like '%,' || types.event_name || ',%'
            or ',' || flow_settings.trigger_event || ',' like '%,' || types.same_as || ',%'
    group by types.event_name

),

waiting as (

    select distinct
        enrollments.trigger_event_id,
        {{ key64('enrollments.trigger_event_id') }} as event_key,
        enrollments.triggered_at
    from {{ ref('stg_perennial__enrollments') }} as enrollments
    inner join flow_settings on {{ present_name_of('enrollments.flow_name') }} = flow_settings.flow_name
    left join {{ ref('activation_receipts') }} as receipts on enrollments.enrollment_id = receipts.enrollment_id
    where flow_settings.recheck <> ''
        and enrollments.expires_at >= {{ last_as_of() }}
        and enrollments.not_before <= {{ as_of() }} + interval '{{ var("recheck_minutes") }} minutes'
        and coalesce(receipts.status, 'held') = 'held'

),

occurrences as (

    {%- for waits in [false, true] %}
    select
        events.event_id as trigger_event_id,
        events.event_name,
        awaited.same_as,
        events.source,
        events.occurred_at,
        events.node,
        events.record_key,
        cast(null as varchar) as entered_customer_id,
        events.store_id,
        events.object_type,
        events.object_id,
        events.status,
        events.tier,
        events.reward_type,
        events.reason,
        events.amount,
        events.properties,
        {{ is_news('events.seq') }} as is_first_seen,
        ({{ is_due }}) is not true as is_recounted
    from events
    inner join awaited on events.event_name = awaited.event_name
    {%- if waits %}
    inner join waiting on events.occurred_at = waiting.triggered_at and events.event_key = waiting.event_key
    {%- endif %}
    where (awaited.is_named or events.source <> 'perennial')
        and events.occurred_at >= awaited.active_since
        and events.occurred_at <= {{ as_of() }}
        and {{ is_looked_at }} is {{ 'not ' if waits }}true

    union all

    select
        {{ audience_event_id('audience_changes') }},
        audience_changes.event_name,
        null,
        'perennial',
        audience_changes.changed_at,
        anchors.node,
        anchors.record_key,
        audience_changes.customer_id,
        null,
        'audience',
        audience_changes.audience_name,
        null, null, null, null, null, '{}',
        audience_changes.build_no > {{ cursor('build_no') }},
        ({{ is_change_due }}) is not true
    from audience_changes
    {%- if waits %}
    inner join waiting
        on audience_changes.changed_at = waiting.triggered_at
            and {{ audience_event_id('audience_changes') }} = waiting.trigger_event_id
    {%- endif %}
    inner join (
        select
            audience_changes.event_name,
            min(flow_settings.active_since) as active_since,
            max(flow_settings.window_seconds) as window_seconds
        from (select distinct event_name from audience_changes) as audience_changes
        inner join flow_settings
            on ',' || flow_settings.trigger_event || ',' like '%,' || audience_changes.event_name || ',%'
        group by audience_changes.event_name
    ) as awaited
        on audience_changes.event_name = awaited.event_name
    -- the record that the person is named after stands for her, whoever she is part of later
    left join {{ ref('int_identity__map') }} as anchors
        on {{ anchor_record_key('audience_changes.customer_id') }} = anchors.record_key
    where audience_changes.changed_at >= awaited.active_since
        and {{ is_change_looked_at }} is {{ 'not ' if waits }}true
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from occurrences
