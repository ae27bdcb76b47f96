{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key=['flow_name', 'performance_date'],
    tags=['scheduled'], post_hook=["{{ drop_former_flows() }}"],
) }}

{#- All figures belong to the day of the decision, whenever the report or the order came, so that they are shares of
    each other. Cost follows the news: the days of a flow on which something was decided, or of which something was
    heard. -#}
with

decided as (

    select
        {{ present_name_of('flow_name') }} as flow_name,
        cast({{ local_time('decided_at', "'" ~ var('time_zone') ~ "'") }} as date) as performance_date,
        decision_id,
        build_no,
        outcome,
        reason,
        channels
    from {{ ref('int_flow_decisions') }}
    where mode = 'live'

),

outcomes as (

    select * from {{ ref('int_flow_outcomes') }}

),

touched as (

    select flow_name, performance_date from decided where {{ changed_since('build_no') }}
    union
    select decided.flow_name, decided.performance_date
    from decided
    inner join outcomes on decided.decision_id = outcomes.enrollment_id
    where {{ changed_since('outcomes.changed_build_no') }}
    {%- if var('deploying') %}
    union
    select flow_name, performance_date from decided
    {%- endif %}

),

flow_settings as (

    select * from {{ source('ops', 'flow_settings') }}

),

by_channel as (

    {#- whoever was skipped could have been written to on any of the flow's channels; a flow that is gone had both -#}
    {%- for channel in ['sms', 'email'] %}
    select
        decided.flow_name,
        decided.performance_date,
        '{{ channel }}' as channel,
        decided.decision_id,
        case
            when decided.outcome <> 'enrolled' then decided.reason
            when ',' || decided.channels || ',' not like '%,{{ channel }},%' then 'other_channel'
        end as skipped_because
    from decided
    inner join touched on decided.flow_name = touched.flow_name and decided.performance_date = touched.performance_date
    left join flow_settings on decided.flow_name = flow_settings.flow_name
    where ',' || coalesce(flow_settings.channels, '{{ channel }}') || ',' like '%,{{ channel }},%'
        or ',' || decided.channels || ',' like '%,{{ channel }},%'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

reasons as (

    select
        flow_name,
        performance_date,
        channel,
        '{' || string_agg(
            '"' || skipped_because || '":' || cast(skipped as varchar), ',' order by skipped_because
        ) || '}' as skipped_by_reason
    from (
        select
            flow_name,
            performance_date,
            channel,
            skipped_because,
            count(*) as skipped
        from by_channel
        where skipped_because is not null
        group by flow_name, performance_date, channel, skipped_because
    ) as counted
    group by flow_name, performance_date, channel

)

select
    by_channel.flow_name,
    by_channel.performance_date,
    by_channel.channel,
    cast(count(*) as integer) as candidates,
    cast(count(*) filter (where by_channel.skipped_because is null) as integer) as enrolled,
    cast(count(by_channel.skipped_because) as integer) as skipped,
    coalesce(max(reasons.skipped_by_reason), '{}') as skipped_by_reason,
    cast(count(outcomes.accepted_at) as integer) as accepted,
    {%- for name in ['delivered', 'opened', 'clicked'] %}
    cast(count(*) filter (where outcomes.is_{{ name }}) as integer) as {{ name }},
    {%- endfor %}
    cast(count(*) filter (where outcomes.order_count > 0) as integer) as converted,
    cast(coalesce(sum(outcomes.revenue), 0) as decimal(18, 2)) as revenue,
    cast(count(*) filter (where outcomes.is_bounced) as integer) as bounced,
    cast(count(*) filter (where outcomes.is_unsubscribed) as integer) as unsubscribed
from by_channel
left join outcomes
    on by_channel.decision_id = outcomes.enrollment_id
        and by_channel.channel = outcomes.channel
left join reasons
    on by_channel.flow_name = reasons.flow_name
        and by_channel.performance_date = reasons.performance_date
        and by_channel.channel = reasons.channel
group by by_channel.flow_name, by_channel.performance_date, by_channel.channel
