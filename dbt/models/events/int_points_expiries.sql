{{ config(materialized='incremental', incremental_strategy='merge', unique_key='expiry_key') }}

{#- The days on which points of a loyalty account expire, as far as OMNI tells them: with the points it adds, where its
    template carries `expired_at`, and in its own notice. Cost follows the news. -#}
with

told as (

    select
        {{ omni_node() }} as node,
        cast(expires_at as date) as expires_on,
        expires_at,
        omni_event,
        points,
        occurred_at
    from {{ ref('stg_omni__events') }}
    where {{ is_news() }}
        and expires_at is not null
        and omni_event in ('wv/points/added', 'wv/points/expiring')

),

latest as (

    select
        {{ key64("node || '|' || cast(expires_on as varchar)") }} as expiry_key,
        {{ key64('node') }} as record_key,
        node,
        expires_on,
        min(expires_at) as expires_at,
        sum(case when omni_event = 'wv/points/added' then points end) as points_added,
        min(case when omni_event = 'wv/points/expiring' then occurred_at end) as noticed_at
    from told
    group by node, expires_on

)

select
    latest.expiry_key,
    latest.record_key,
    latest.node,
    latest.expires_on,
    {%- if is_incremental() %}
    least(latest.expires_at, known.expires_at) as expires_at,
    case
        when latest.points_added is not null or known.points_added is not null
            then coalesce(latest.points_added, 0) + coalesce(known.points_added, 0)
    end as points_added,
    least(latest.noticed_at, known.noticed_at) as noticed_at,
    {%- else %}
    latest.expires_at,
    latest.points_added,
    latest.noticed_at,
    {%- endif %}
    {{ build_no() }} as changed_build_no
from latest
{%- if is_incremental() %}
left join {{ this }} as known on latest.expiry_key = known.expiry_key
{%- endif %}
