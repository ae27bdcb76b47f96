{{ config(materialized='incremental', incremental_strategy='merge', unique_key='inventory_key') }}

{#- The present state of each item. An item is gone when a list that is believed no longer names it, and back when one
    does or when it lands anew. Cost follows the items with news. -#}
with

versions as (

    select
        *,
        row_number() over (partition by inventory_key order by seq desc, row_no desc) as recency,
        max(case when is_first_version or (price is distinct from previous_price) then received_at end) over (
            partition by inventory_key
        ) as price_news_at
    from {{ ref('stg_flowhub__inventory') }}
    where {{ is_news() }}

),

listings as (

    select
        changes.inventory_key,
        changes.is_listed,
        snapshots.seq,
        row_number() over (partition by changes.inventory_key order by changes.seq desc) as recency
    from {{ ref('int_inventory_snapshots') }} as snapshots
    inner join {{ ref('int_shelf_changes') }} as changes
        on snapshots.store_id = changes.store_id
            and coalesce(snapshots.previous_seq, 0) < changes.seq
            and snapshots.seq >= changes.seq
    where snapshots.is_believed and {{ is_news('snapshots.seq') }}

),

touched as (

    select inventory_key from versions
    union
    select inventory_key from listings

),

merged as (

    select
        touched.inventory_key,
        {%- set carried = [
            'store_id', 'room_id', 'product_id', 'pos_product_id', 'sku', 'purchase_category', 'on_hand', 'price',
            'is_tier_price',
        ] -%}
        {%- for column in carried %}
        {% if is_incremental() -%}
        case when versions.seq is null then known.{{ column }} else versions.{{ column }} end as {{ column }},
        {%- else -%}
        versions.{{ column }},
        {%- endif %}
        {%- endfor %}
        {% if is_incremental() -%}
        coalesce(versions.price_news_at, known.price_changed_at) as price_changed_at,
        coalesce(versions.received_at, known.received_at) as received_at,
        coalesce(versions.seq, known.version_seq) as version_seq,
        case when listings.seq is null then known.gone_seq when not listings.is_listed then listings.seq end as gone_seq
        {%- else -%}
        versions.price_news_at as price_changed_at,
        versions.received_at,
        versions.seq as version_seq,
        case when not listings.is_listed then listings.seq end as gone_seq
        {%- endif %}
    from touched
    left join versions on touched.inventory_key = versions.inventory_key and versions.recency = 1
    left join listings on touched.inventory_key = listings.inventory_key and listings.recency = 1
    {%- if is_incremental() %}
    left join {{ this }} as known on touched.inventory_key = known.inventory_key
    {%- endif %}

)

select
    *,
    gone_seq is null or version_seq > gone_seq as is_listed,
    {{ build_no() }} as changed_build_no
from merged
-- a marker may name an item whose own row could not be used
where version_seq is not null
