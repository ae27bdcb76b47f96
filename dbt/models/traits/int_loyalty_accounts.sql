{{ config(materialized='incremental', incremental_strategy='merge', unique_key='record_key') }}

{#- The last that OMNI said about each of its customers. Balances are taken from what OMNI states, never summed: a merge
    re-bases them without an event. -#}
with

events as (

    select
        events.*,
        {{ omni_node() }} as node
    from {{ ref('stg_omni__events') }} as events
    where {{ is_news() }}

),

latest as (

    select
        {{ key64('node') }} as record_key,
        min(node) as node
        {%- for field in ['points_balance', 'tier', 'tier_expires_at', 'member_status', 'birth_month_text'] %},
        (array_agg({{ field }} order by occurred_at desc, seq desc)
            filter (where {{ field }} is not null))[1] as {{ field }}
        {%- endfor %},
        max(case when omni_event = 'wv/points/expiring' then expires_at end) as points_expire_at,
        max(occurred_at) as changed_at
    from events
    group by 1

)

select
    latest.record_key,
    latest.node,
    {% for field in ['points_balance', 'tier', 'tier_expires_at', 'member_status', 'birth_month_text',
                     'points_expire_at'] -%}
    {% if is_incremental() -%}
    -- an event that arrives late does not take back what a later one said
    case
        when latest.changed_at < known.changed_at then coalesce(known.{{ field }}, latest.{{ field }})
        else coalesce(latest.{{ field }}, known.{{ field }})
    end as {{ field }},
    {%- else -%}
    latest.{{ field }},
    {%- endif %}
    {% endfor -%}
    {% if is_incremental() -%} greatest(latest.changed_at, known.changed_at) {%- else -%} latest.changed_at {%- endif %} as changed_at,
    {{ build_no() }} as changed_build_no
from latest
{% if is_incremental() -%}
left join {{ this }} as known on latest.record_key = known.record_key
{%- endif %}
