{{ config(materialized='incremental', incremental_strategy='append') }}

{#- A (flow, occurrence, subject) decided once. The gates that look at earlier decisions are here, because only here are
    earlier decisions known; candidates of one person in one moment are walked in order, each seeing those before it.
    While a rebuild restores, the rows are what was landed when they were decided; nothing is decided anew. -#}
{%- if var('restore') %}

{{ landed_decisions() }}

{%- else %}
{%- set sources = ['flowhub', 'jane', 'omni', 'shopify', 'partners', 'messaging'] %}

with recursive

gates as (

    select
        *,
        case when flow_status = 'dry_run' then 'dry_run' else 'live' end as mode
    from {{ ref('int_flow_gates') }}

),

receipts as (  -- noqa: ST03

    select enrollment_id, status from {{ ref('activation_receipts') }}

),

exits as (  -- noqa: ST03

    {{ earlier_exits() }}

),

hers as (  -- noqa: ST03

    select record_key, customer_id from {{ ref('int_identity__map') }}
    where customer_id in (select customer_id from gates)

),

former_ids as (  -- noqa: ST03

    {{ former_ids() }}

),

caps as (

    {{ caps_in_force() }}

),

freshness as (

    select
        {%- for source_name in sources %}
        max(case when source = '{{ source_name }}' then last_received_at end) as {{ source_name }}_at
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_source_freshness') }}

),

earlier as (

    {%- if is_incremental() %}
    {{ earlier_decisions() }}
    {%- else %}
    select
        cast(null as varchar) as decision_id, cast(null as varchar) as flow_name, cast(null as varchar) as mode,
        cast(null as varchar) as trigger_key, cast(null as varchar) as customer_id, cast(null as integer) as rank,
        cast(null as varchar) as kind, cast(null as varchar) as channels, cast(null as timestamp) as counts_from,
        false as is_counted, false as is_in_flow
    where false
    {%- endif %}

),

undecided as (

    {#- one a (flow, occurrence, person), whichever of her records showed it first -#}
    select * from (
        select
            gates.*,
            row_number() over (
                partition by gates.flow_name, gates.trigger_key, coalesce(gates.customer_id, gates.node)
                order by gates.triggered_at, gates.node, gates.trigger_event_id
            ) as sibling_no
        from gates
        {%- if is_incremental() %}
        where gates.decision_id not in (
            select decided_before.decision_id from ({{ occurrences_decided_before(this) }}) as decided_before
        )
        {%- endif %}
    ) as siblings
    where sibling_no = 1
        -- what is curable waits while its window is open
        and (not is_curable or window_ends_at < {{ as_of() }})

),

capped as (

    select
        undecided.*,
        {%- for channel in ['sms', 'email'] %}
        coalesce({{ channel }}_of_state.max_messages, {{ channel }}_of_all.max_messages) as {{ channel }}_cap,
        coalesce({{ channel }}_of_state.window_hours, {{ channel }}_of_all.window_hours) as {{ channel }}_window_hours,
        coalesce({{ channel }}_of_state.covers_transactional, {{ channel }}_of_all.covers_transactional, false)
            as {{ channel }}_cap_covers_transactional
        {{- ',' if not loop.last }}
        {%- endfor %}
    from undecided
    {%- for channel in ['sms', 'email'] %}
    left join caps as {{ channel }}_of_state
        on undecided.state = {{ channel }}_of_state.state and {{ channel }}_of_state.channel = '{{ channel }}'
    left join caps as {{ channel }}_of_all
        on {{ channel }}_of_all.state = '*' and {{ channel }}_of_all.channel = '{{ channel }}'
    {%- endfor %}

),

remembered as (

    {#- what she was enrolled in before that stands in the way -#}
    select
        capped.*,
        case when capped.reentry_days <> 0 then (
            select min(earlier.decision_id) from earlier
            where earlier.flow_name = capped.flow_name and earlier.mode = capped.mode
                and earlier.customer_id = capped.customer_id and earlier.is_counted
                and (
                    capped.reentry_days < 0
                    or earlier.counts_from + capped.reentry_days * interval '1 day' > {{ as_of() }}
                )
        ) end as entered_before,
        case when not capped.concurrent then (
            select min(earlier.decision_id) from earlier
            where earlier.flow_name = capped.flow_name and earlier.mode = capped.mode
                and earlier.customer_id = capped.customer_id and earlier.is_in_flow
                and {{ add_seconds('earlier.counts_from', 'capped.max_duration_seconds') }} > {{ as_of() }}
        ) end as still_in,
        case when capped.kind = 'marketing' then (
            select min(earlier.decision_id) from earlier
            where earlier.customer_id = capped.customer_id and earlier.mode = capped.mode
                and earlier.flow_name <> capped.flow_name and earlier.kind = 'marketing'
                and earlier.is_counted and earlier.rank <= capped.rank
                and earlier.counts_from + interval '24 hours' > {{ as_of() }}
        ) end as outranked_by,
        ({{ messages_in_window('sms') }}) as sms_before,
        ({{ messages_in_window('email') }}) as email_before,
        {{ key64("concat_ws('|', capped.node, capped.flow_name, 'holdout')") }} % 100 as holdout_bucket
    from capped

),

barred as (

    select
        *,
        coalesce(
            reason,
            case
                when entered_before is not null then 'reentry'
                when still_in is not null then 'concurrent'
                when outranked_by is not null then 'lower_rank'
            end
        ) as reason_so_far,
        case when reason is null then coalesce(entered_before, still_in, outranked_by) end as barred_by
    from remembered

),

contenders as (

    select
        *,
        kind = 'marketing' and holdout_bucket < holdout_percent as is_holdout,
        row_number() over (partition by customer_id, mode order by rank, triggered_at, decision_id) as place
    from barred
    where reason_so_far is null

),

walk as (

    {#- place by place: which flows the person has entered in this moment, which one of marketing has won her, and how
        many messages that adds -#}
    select
        cast(customer_id as varchar) as customer_id,
        cast(mode as varchar) as mode,
        cast(0 as bigint) as place,
        cast(null as varchar) as decision_id,
        cast(null as varchar) as verdict,
        cast('|' as varchar) as entered_flows,
        cast(null as varchar) as winning_flow,
        cast(null as varchar) as winning_decision_id,
        cast(0 as bigint) as sms_added,
        cast(0 as bigint) as email_added,
        false as takes_sms,
        false as takes_email
    from contenders
    where place = 1

    union all

    select
        customer_id,
        mode,
        place,
        cast(decision_id as varchar),
        cast(verdict as varchar),
        cast(case when verdict = 'enrolled' then entered_flows || flow_name || '|' else entered_flows end as varchar),
        cast(case when verdict = 'enrolled' and kind = 'marketing' then flow_name else winning_flow end as varchar),
        cast(case
            when verdict = 'enrolled' and kind = 'marketing' then coalesce(winning_decision_id, decision_id)
            else winning_decision_id
        end as varchar),
        cast(sms_added + case when verdict = 'enrolled' and takes_sms and fills_sms then 1 else 0 end as bigint),
        cast(email_added + case when verdict = 'enrolled' and takes_email and fills_email then 1 else 0 end as bigint),
        takes_sms,
        takes_email
    from (
        select
            tried.*,
            case
                when reentry_days <> 0 and has_entered then 'reentry'
                when not concurrent and has_entered then 'concurrent'
                when kind = 'marketing' and winning_flow <> flow_name then 'lower_rank'
                when not takes_sms and not takes_email then 'frequency_cap'
                when is_holdout then 'holdout'
                else 'enrolled'
            end as verdict
        from (
            select
                walk.customer_id,
                walk.mode,
                contenders.place,
                contenders.decision_id,
                contenders.flow_name,
                contenders.kind,
                contenders.reentry_days,
                contenders.concurrent,
                contenders.is_holdout,
                walk.entered_flows,
                walk.winning_flow,
                walk.winning_decision_id,
                walk.sms_added,
                walk.email_added,
                position('|' || contenders.flow_name || '|' in walk.entered_flows) > 0 as has_entered,
                {%- for channel in ['sms', 'email'] %}
                contenders.kind = 'marketing' or contenders.{{ channel }}_cap_covers_transactional
                    as fills_{{ channel }},
                -- a channel that is full is left out; what serves an order is capped only where the state says so
                contenders.may_{{ channel }} and (
                    (contenders.kind <> 'marketing' and not contenders.{{ channel }}_cap_covers_transactional)
                    or contenders.{{ channel }}_cap is null
                    or contenders.{{ channel }}_before + walk.{{ channel }}_added < contenders.{{ channel }}_cap
                ) as takes_{{ channel }}
                {{- ',' if not loop.last }}
                {%- endfor %}
            from walk
            inner join contenders
                on walk.customer_id = contenders.customer_id
                    and walk.mode = contenders.mode
                    and walk.place + 1 = contenders.place
        ) as tried
    ) as judged

),

decided as (

    select
        barred.*,
        coalesce(barred.reason_so_far, nullif(walk.verdict, 'enrolled')) as final_reason,
        coalesce(barred.barred_by, case when walk.verdict = 'lower_rank' then walk.winning_decision_id end)
            as blocked_by,
        coalesce(walk.takes_sms, may_sms) as uses_sms,
        coalesce(walk.takes_email, may_email) as uses_email,
        freshness.*
    from barred
    cross join freshness
    left join walk on barred.decision_id = walk.decision_id

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
    {{ decision_detail(sources) }} as detail,
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
