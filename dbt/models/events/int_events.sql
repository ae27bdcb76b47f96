{{ config(materialized='incremental', incremental_strategy='append') }}

{#- Append-only: an event names the record that it is evidence about, so a merge rewrites no history. Cost follows the
    news; doubles are looked for in all of the past, by a column of eight bytes. -#}
with

news as (

    {%- for source in [
        'flowhub', 'inventory', 'jane', 'omni', 'partners', 'shopify', 'messaging', 'perennial', 'implied'
    ] %}
    select * from {{ ref('int_events__' ~ source) }} where {{ is_news() }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

firsts as (

    select
        *,
        {{ key64('event_id') }} as event_key,
        row_number() over (partition by event_id order by seq, row_no) as delivery_no
    from news

)

select
    firsts.event_id,
    firsts.event_key,
    firsts.event_name,
    firsts.source,
    firsts.occurred_at,
    firsts.received_at,
    firsts.seq,
    firsts.row_no,
    firsts.node,
    {{ key64('firsts.node') }} as record_key,
    firsts.store_id,
    firsts.object_type,
    firsts.object_id,
    firsts.status,
    firsts.tier,
    firsts.reward_type,
    firsts.reason,
    cast(firsts.amount as decimal(18, 2)) as amount,
    firsts.properties
from firsts
{%- if is_incremental() %}
left join ({{ known_keys('event_key', 'select event_key from firsts') }}) as known on firsts.event_key = known.event_key
{%- endif %}
where firsts.delivery_no = 1
{%- if is_incremental() %}
    and known.event_key is null
{%- endif %}
