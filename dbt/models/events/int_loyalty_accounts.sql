{{ config(materialized='incremental', incremental_strategy='merge', unique_key='record_key') }}

{#- The last that OMNI said about each of its customers. Balances are taken from what OMNI states, never summed: a merge
    re-bases them without an event. Each field has its own time, OMNI's where it gives one: the word about a balance is
    not newer because a birth month changed since. -#}
{%- set said_at = {
    'points_balance': 'coalesce(points_balance_updated_at, occurred_at)',
    'tier': 'coalesce(tier_updated_at, occurred_at)',
    'tier_expires_at': 'coalesce(tier_updated_at, occurred_at)',
    'member_status': 'coalesce(member_status_updated_at, occurred_at)',
    'birth_month': 'coalesce(birth_month_updated_at, occurred_at)',
    'points_expire_at': 'occurred_at',
} -%}
with

events as (

    select
        seq,
        row_no,
        {{ omni_node() }} as node,
        points_balance,
        coalesce(tier, new_tier) as tier,
        tier_expires_at,
        member_status,
        birth_month,
        case when omni_event = 'wv/points/expiring' then expires_at end as points_expire_at,
        occurred_at,
        points_balance_updated_at,
        tier_updated_at,
        member_status_updated_at,
        birth_month_updated_at
    from {{ ref('stg_omni__events') }}
    where {{ is_news() }}

),

latest as (

    select
        {{ key64('node') }} as record_key,
        min(node) as node
        {%- for field, at in said_at.items() %},
        (array_agg({{ field }} order by {{ at }} desc, seq desc, row_no desc)
            filter (where {{ field }} is not null))[1] as {{ field }},
        max({{ at }}) filter (where {{ field }} is not null) as {{ field }}_said_at
        {%- endfor %}
    from events
    group by 1

)

select
    latest.record_key,
    latest.node,
    {% for field in said_at -%}
    {% if is_incremental() -%}
    -- an event that arrives late does not take back what a later one said
    case
        when latest.{{ field }} is null or known.{{ field }}_said_at > latest.{{ field }}_said_at then known.{{ field }}
        else latest.{{ field }}
    end as {{ field }},
    case
        when latest.{{ field }} is null or known.{{ field }}_said_at > latest.{{ field }}_said_at
            then known.{{ field }}_said_at
        else latest.{{ field }}_said_at
    end as {{ field }}_said_at,
    {%- else -%}
    latest.{{ field }},
    latest.{{ field }}_said_at,
    {%- endif %}
    {% endfor -%}
    {{ build_no() }} as changed_build_no
from latest
{% if is_incremental() -%}
left join {{ this }} as known on latest.record_key = known.record_key
{%- endif %}
