{{ config(materialized='incremental', incremental_strategy='append') }}

{#- A (flow, occurrence, subject) decided once. The gates that look at earlier decisions are here, because only here are
    earlier decisions known; candidates of one person in one moment are walked in order, each seeing those before it.
    While a rebuild restores, the rows are what was landed when they were decided; nothing is decided anew. -#}
{%- if var('restore') %}

{{ landed_decisions() }}

{%- else %}

with recursive

gates as (

    select * from {{ ref('int_flow_gates') }}

),

map as (  -- noqa: ST03

    select * from {{ ref('int_identity__map') }}

),

receipts as (  -- noqa: ST03

    select enrollment_id, status from {{ ref('activation_receipts') }}

),

exits as (  -- noqa: ST03

    {{ earlier_exits() }}

),

caps as (

    select channel, min(max_messages) as max_messages, max(window_hours) as window_hours
    from {{ ref('message_caps') }}
    where state = '*'
    group by channel

),

earlier as (

    {#- what was decided before, by the person that its subject is now -#}
    {%- if is_incremental() %}
    select
        decisions.decision_id,
        {{ present_name_of('decisions.flow_name') }} as flow_name,
        decisions.mode,
        decisions.trigger_key,
        decisions.trigger_event_id,
        decisions.subject_node,
        coalesce(map.customer_id, decisions.customer_id) as customer_id,
        decisions.outcome,
        decisions.decided_at,
        decisions.rank,
        decisions.flow_kind as kind,
        decisions.channels,
        greatest(decisions.decided_at, decisions.not_before) as counts_from,
        decisions.max_duration_seconds,
        -- an enrollment counts until it was rejected, expired, superseded or exited
        decisions.outcome = 'enrolled'
            and coalesce(receipts.status, 'pending') not in ('rejected', 'expired', 'superseded', 'exited')
            and exits.enrollment_id is null as is_counted,
        decisions.outcome = 'enrolled'
            and coalesce(receipts.status, 'pending') not in ('rejected', 'expired', 'superseded') as was_enrolled
    from {{ this }} as decisions
    left join map on decisions.record_key = map.record_key
    left join receipts on decisions.decision_id = receipts.enrollment_id
    left join exits on decisions.decision_id = exits.enrollment_id
    -- longer than any re-entry of days; a flow that nobody enters twice looks back for ever
    where decisions.decided_at >= {{ as_of() }} - interval '400 days'
        or {{ present_name_of('decisions.flow_name') }} in (
            select gates.flow_name from gates where gates.reentry_days < 0
        )
    {%- else %}
    select
        cast(null as varchar) as decision_id, cast(null as varchar) as flow_name, cast(null as varchar) as mode,
        cast(null as varchar) as trigger_key, cast(null as varchar) as trigger_event_id, cast(null as varchar) as subject_node,
        cast(null as varchar) as customer_id, cast(null as varchar) as outcome,
        cast(null as timestamp) as decided_at, cast(null as integer) as rank, cast(null as varchar) as kind,
        cast(null as varchar) as channels, cast(null as timestamp) as counts_from,
        cast(null as bigint) as max_duration_seconds, false as is_counted, false as was_enrolled
    where false
    {%- endif %}

),

undecided as (

    {#- one a (flow, occurrence, person), whichever of her records showed it first -#}
    select * from (
        select
            gates.*,
            case when flow_status = 'dry_run' then 'dry_run' else 'live' end as mode,
            row_number() over (
                partition by gates.flow_name, gates.trigger_key, coalesce(gates.customer_id, gates.node)
                order by gates.triggered_at, gates.node
            ) as sibling_no
        from gates
        where gates.decision_id not in (select decision_id from earlier)
            -- a dry run uses nothing up
            and not exists (
                select 1 from earlier
                where earlier.flow_name = gates.flow_name
                    and earlier.mode = case when gates.flow_status = 'dry_run' then 'dry_run' else 'live' end
                    and (
                        (earlier.trigger_key = gates.trigger_key and earlier.customer_id = gates.customer_id)
                        -- late news may give the occurrence of an event that was decided another name; an event about
                        -- nobody, such as a product's, is about many people
                        or (
                            earlier.trigger_event_id = gates.trigger_event_id
                            and (earlier.subject_node is not distinct from gates.node)
                        )
                    )
            )
    ) as siblings
    where sibling_no = 1
        -- what is curable waits while its window is open
        and (not is_curable or window_ends_at < {{ as_of() }})

),

remembered as (

    select
        undecided.*,
        case
            when undecided.reason is not null then undecided.reason
            when undecided.reentry_days is not null and exists (
                select 1 from earlier
                where earlier.flow_name = undecided.flow_name and earlier.mode = undecided.mode
                    and earlier.customer_id = undecided.customer_id and earlier.was_enrolled
                    and (
                        undecided.reentry_days < 0
                        or earlier.decided_at + undecided.reentry_days * interval '1 day' > {{ as_of() }}
                    )
            ) then 'reentry'
            when not undecided.concurrent and exists (
                select 1 from earlier
                where earlier.flow_name = undecided.flow_name and earlier.mode = undecided.mode
                    and earlier.customer_id = undecided.customer_id and earlier.is_counted
                    and {{ add_seconds('earlier.counts_from', 'undecided.max_duration_seconds') }} > {{ as_of() }}
            ) then 'concurrent'
            when undecided.kind = 'marketing' and exists (
                select 1 from earlier
                where earlier.customer_id = undecided.customer_id and earlier.mode = undecided.mode
                    and earlier.flow_name <> undecided.flow_name and earlier.kind = 'marketing'
                    and earlier.is_counted and earlier.rank <= undecided.rank
                    and earlier.counts_from + interval '24 hours' > {{ as_of() }}
            ) then 'lower_rank'
        end as reason_so_far,
        (
            select count(*) from earlier inner join caps on caps.channel = 'sms'
            where earlier.customer_id = undecided.customer_id and earlier.mode = undecided.mode
                and earlier.kind = 'marketing' and earlier.is_counted and earlier.channels like '%sms%'
                and earlier.counts_from + caps.window_hours * interval '1 hour' > {{ as_of() }}
        ) as sms_before,
        (
            select count(*) from earlier inner join caps on caps.channel = 'email'
            where earlier.customer_id = undecided.customer_id and earlier.mode = undecided.mode
                and earlier.kind = 'marketing' and earlier.is_counted and earlier.channels like '%email%'
                and earlier.counts_from + caps.window_hours * interval '1 hour' > {{ as_of() }}
        ) as email_before,
        (select max_messages from caps where channel = 'sms') as sms_cap,
        (select max_messages from caps where channel = 'email') as email_cap,
        ({{ key64("concat_ws('|', undecided.node, undecided.flow_name, 'holdout')") }} % 100)
            < undecided.holdout_percent as is_holdout
    from undecided

),

contenders as (

    select
        *,
        row_number() over (partition by customer_id, mode order by rank, triggered_at, decision_id) as place
    from remembered
    where reason_so_far is null and kind = 'marketing'

),

walk as (

    {#- place by place: which flow has won the person in this moment, and how many messages it adds -#}
    select
        customer_id,
        mode,
        cast(0 as bigint) as place,
        cast(null as varchar) as decision_id,
        cast(null as varchar) as verdict,
        cast(null as varchar) as winning_flow,
        cast(0 as bigint) as sms_added,
        cast(0 as bigint) as email_added,
        false as takes_sms,
        false as takes_email
    from contenders
    where place = 1

    union all

    select
        walk.customer_id,
        walk.mode,
        contenders.place,
        contenders.decision_id,
        case
            when walk.winning_flow <> contenders.flow_name then 'lower_rank'
            when walk.winning_flow is not null and contenders.reentry_days is not null then 'reentry'
            when walk.winning_flow is not null and not contenders.concurrent then 'concurrent'
            when not (contenders.may_sms and contenders.sms_before + walk.sms_added < contenders.sms_cap)
                and not (contenders.may_email and contenders.email_before + walk.email_added < contenders.email_cap)
                then 'frequency_cap'
            when contenders.is_holdout then 'holdout'
            else 'enrolled'
        end as verdict,
        case
            when walk.winning_flow <> contenders.flow_name then walk.winning_flow
            when not (contenders.may_sms and contenders.sms_before + walk.sms_added < contenders.sms_cap)
                and not (contenders.may_email and contenders.email_before + walk.email_added < contenders.email_cap)
                then walk.winning_flow
            when contenders.is_holdout then walk.winning_flow
            else contenders.flow_name
        end as winning_flow,
        walk.sms_added + case
            when coalesce(walk.winning_flow = contenders.flow_name, true)
                and not contenders.is_holdout
                and contenders.may_sms
                and contenders.sms_before + walk.sms_added < contenders.sms_cap then 1 else 0
        end as sms_added,
        walk.email_added + case
            when coalesce(walk.winning_flow = contenders.flow_name, true)
                and not contenders.is_holdout
                and contenders.may_email
                and contenders.email_before + walk.email_added < contenders.email_cap then 1 else 0
        end as email_added,
        contenders.may_sms and contenders.sms_before + walk.sms_added < contenders.sms_cap as takes_sms,
        contenders.may_email and contenders.email_before + walk.email_added < contenders.email_cap as takes_email
    from walk
    inner join contenders
        on walk.customer_id = contenders.customer_id
            and walk.mode = contenders.mode
            and walk.place + 1 = contenders.place

),

decided as (

    select
        remembered.*,
        coalesce(remembered.reason_so_far, nullif(walk.verdict, 'enrolled')) as final_reason,
        -- a channel that is full is left out; what serves an order is never capped
        coalesce(walk.takes_sms, may_sms) as uses_sms,
        coalesce(walk.takes_email, may_email) as uses_email
    from remembered
    left join walk on remembered.decision_id = walk.decision_id

)

select
    decision_id,
    flow_name,
    flow_version,
    mode,
    customer_id,
    node as subject_node,
    record_key,
    trigger_key,
    trigger_event_id,
    triggered_at,
    {{ as_of() }} as decided_at,
    cast({{ build_no() }} as bigint) as build_no,
    case when final_reason is null then 'enrolled' else 'skipped' end as outcome,
    final_reason as reason,
    {{ json_object({
        'email_consent': 'email_consent', 'sms_consent': 'sms_consent', 'birth_year': 'extract(year from birth_date)',
        'minimum_age': 'minimum_age', 'programme': 'programme', 'state': 'state', 'window_ends_at': 'window_ends_at',
        'local_time': 'local_now', 'rank': 'rank', 'sms_in_window': 'sms_before', 'email_in_window': 'email_before',
    }) }} as detail,
    kind as flow_kind,
    rank,
    object_type,
    object_id,
    not_before,
    greatest(window_ends_at, {{ add_seconds('not_before', 'grace_seconds') }}) as expires_at,
    concat_ws(',', case when uses_sms then 'sms' end, case when uses_email then 'email' end) as channels,
    destination,
    display_name,
    max_duration_seconds,
    {{ with_sender('context', 'decided') }} as context,
    case when uses_email then email end as recipient_email,
    case when uses_sms then phone end as recipient_phone,
    flowhub_customer_id as recipient_flowhub_customer_id
from decided

{%- endif %}
