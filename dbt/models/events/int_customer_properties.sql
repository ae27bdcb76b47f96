{{ config(materialized='incremental', incremental_strategy='merge', unique_key='property_key') }}

{#- What events told of a customer and no system keeps as a field: her budtender, store credit, cashback, price lists,
    tags, standing orders, AtData's attributes and whatever else a `customer_updated` carries. The newest word counts,
    whenever it arrives; JSON's null takes a word back. Cost follows the news. -#}
with

news as (

    {%- for source in ['partners', 'shopify'] %}
    select
        {{ key64('node') }} as record_key,
        node,
        event_name,
        occurred_at,
        seq,
        row_no,
        properties
    from {{ ref('int_events__' ~ source) }}
    where {{ is_news() }}
        and node is not null
        and properties <> '{}'
        and (
            event_name in (
                'customer_created', 'customer_updated', 'customer_assigned_to_budtender', 'wholesale_approved',
                'store_credit_used', 'store_credit_statement'
            )
            or event_name like 'auto_order_%'
        )
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

entries as (

    select
        news.*,
        entries.name,
        entries.value,
        entries.value_json
    from news
    cross join {{ json_entries('news.properties') }}

),

told as (

    -- all that is said of her but what who-is-who keeps as fields of a person
    select
        record_key, node, occurred_at, seq, row_no,
        name as property,
        value,
        value_json
    from entries
    where event_name in ('customer_created', 'customer_updated')
        and name not in (
            'first_name', 'last_name', 'state', 'country', 'postal_code', 'birth_date', 'store_id', 'tags_added',
            'tags_removed'
        )

    union all

    -- a tag that came or went since the last list of all
    select
        entries.record_key, entries.node, entries.occurred_at, entries.seq, entries.row_no,
        'tag:' || elements.element,
        case entries.name when 'tags_added' then 'true' else 'false' end,
        case entries.name when 'tags_added' then 'true' else 'false' end
    from entries
    cross join {{ json_list('entries.value_json') }}
    where entries.event_name = 'customer_updated' and entries.name in ('tags_added', 'tags_removed')

    union all

    select
        record_key, node, occurred_at, seq, row_no,
        case name
            when 'budtender' then 'assigned_budtender'
            when 'pricing_tier' then 'pricing_tiers'
            else 'store_credit'
        end,
        case name when 'pricing_tier' then '[' || value_json || ']' else value end,
        case name when 'pricing_tier' then '[' || value_json || ']' else value_json end
    from entries
    where (event_name = 'customer_assigned_to_budtender' and name = 'budtender')
        or (event_name = 'wholesale_approved' and name = 'pricing_tier')
        or (event_name in ('store_credit_used', 'store_credit_statement') and name = 'balance')

    union all

    select
        record_key, node, occurred_at, seq, row_no,
        'auto_order:' || value,
        case event_name
            when 'auto_order_subscribed' then 'active'
            when 'auto_order_resumed' then 'active'
            when 'auto_order_paused' then 'paused'
            when 'auto_order_cancelled' then 'ended'
            when 'auto_order_disabled' then 'ended'
        end,
        null
    from entries
    where name = 'auto_order_id'
        and event_name in (
            'auto_order_subscribed', 'auto_order_resumed', 'auto_order_paused', 'auto_order_cancelled',
            'auto_order_disabled'
        )

),

ranked as (

    select
        *,
        {{ key64("node || '|' || property") }} as property_key,
        row_number() over (
            partition by record_key, property order by occurred_at desc, seq desc, row_no desc
        ) as recency
    from told

)

select
    ranked.property_key,
    ranked.record_key,
    ranked.node,
    ranked.property,
    ranked.value,
    ranked.value_json,
    ranked.occurred_at as said_at,
    {{ build_no() }} as changed_build_no
from ranked
{%- if is_incremental() %}
left join {{ this }} as known on ranked.property_key = known.property_key
{%- endif %}
where ranked.recency = 1
{%- if is_incremental() %}
    -- an event that arrives late does not take back what a later one said
    and (known.said_at is null or ranked.occurred_at >= known.said_at)
{%- endif %}
