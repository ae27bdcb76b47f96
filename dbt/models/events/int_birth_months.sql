{{ config(materialized='incremental', incremental_strategy='merge', unique_key='record_key') }}

{#- The month of birth that a record tells, and since when it is known. OMNI says so in an event, by itself or in the
    profile beside it; a till knows a birth date since the record was made, or since the version that first shows one.
    Cost follows the news. -#}
with

told as (

    select
        {{ node_of('flowhub_customer', 'flowhub_customer_id') }} as node,
        cast(extract(month from birth_date) as integer) as birth_month,
        case when is_first_version then created_at else coalesce(updated_at, received_at) end as captured_at,
        received_at as told_at,
        seq,
        row_no
    from {{ ref('stg_flowhub__customers') }}
    where {{ is_news() }} and birth_date is not null

    union all

    select
        {{ omni_node() }},
        birth_month,
        -- a profile that is read later than its event tells what is known now
        case
            when omni_event = 'wv/birth_month/captured' then occurred_at
            else coalesce(birth_month_updated_at, case when route = 'klaviyo' then received_at else occurred_at end)
        end,
        coalesce(birth_month_updated_at, occurred_at),
        seq,
        row_no
    from {{ ref('stg_omni__events') }}
    where {{ is_news() }} and birth_month is not null

),

latest as (

    select
        {{ key64('node') }} as record_key,
        min(node) as node,
        (array_agg(birth_month order by told_at desc, seq desc, row_no desc))[1] as birth_month,
        min(captured_at) as captured_at,
        max(told_at) as told_at
    from told
    where birth_month between 1 and 12
    group by 1

)

{%- if not is_incremental() %}

select *, {{ build_no() }} as changed_build_no from latest

{%- else %}
,

merged as (

    select
        latest.record_key,
        latest.node,
        -- an event that arrives late does not take back what a later one said
        case when latest.told_at < known.told_at then known.birth_month else latest.birth_month end as birth_month,
        least(latest.captured_at, known.captured_at) as captured_at,
        greatest(latest.told_at, known.told_at) as told_at,
        known.birth_month as known_birth_month,
        known.captured_at as known_captured_at,
        known.changed_build_no as known_changed_build_no
    from latest
    left join {{ this }} as known on latest.record_key = known.record_key

)

select
    record_key,
    node,
    birth_month,
    captured_at,
    told_at,
    -- hearing again what is known is no news
    case
        when birth_month = known_birth_month and captured_at = known_captured_at then known_changed_build_no
        else {{ build_no() }}
    end as changed_build_no
from merged

{%- endif %}
