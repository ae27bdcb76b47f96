{{ config(materialized='incremental', incremental_strategy='append') }}

{#- Append-only: an event names the record that it is evidence about, so a merge rewrites no history. Cost follows the
    news; doubles are looked for in the last days only. -#}
with

news as (

    {%- for source in ['flowhub', 'inventory', 'jane', 'omni', 'partners', 'shopify', 'messaging', 'perennial'] %}
    select * from {{ ref('int_events__' ~ source) }} where {{ is_news() }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

firsts as (

    select
        *,
        row_number() over (partition by event_id order by seq, row_no) as delivery_no
    from news

)

select
    event_id,
    event_name,
    source,
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    {{ key64('node') }} as record_key,
    store_id,
    object_type,
    object_id,
    status,
    tier,
    reward_type,
    reason,
    cast(amount as decimal(18, 2)) as amount,
    properties
from firsts
where delivery_no = 1
{%- if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as known
        where known.event_id = firsts.event_id
            and known.received_at >= {{ as_of() }} - interval '{{ var("duplicate_lookback_days") }} days'
    )
{%- endif %}
