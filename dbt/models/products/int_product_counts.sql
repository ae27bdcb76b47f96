{{ config(materialized='table') }}

{#- What each believed list of this moment's news says that a store has of a product, all rooms and batches together.
    Cost follows the products with news: of each its items as they were in the last believed list that an earlier build
    read, and what came since. -#}
with

snapshots as (

    select
        store_id,
        seq,
        row_no,
        coalesce(previous_seq, 0) as previous_seq,
        status,
        started_at as taken_at,
        received_at
    from {{ ref('int_inventory_snapshots') }}
    where is_believed and {{ is_news() }}

),

reach as (

    select store_id, min(previous_seq) as after_seq, max(seq) as upto_seq
    from snapshots
    group by store_id

),

-- the versions that a list is the first to confirm, and the items that it begins or ceases to name
new_versions as (

    select items.*, snapshots.seq as from_seq
    from {{ ref('stg_flowhub__inventory') }} as items
    inner join snapshots
        on items.store_id = snapshots.store_id
            and items.seq > snapshots.previous_seq
            and items.seq <= snapshots.seq

),

new_listings as (

    select changes.inventory_key, changes.store_id, changes.is_listed, changes.seq, snapshots.seq as from_seq
    from {{ ref('int_shelf_changes') }} as changes
    inner join snapshots
        on changes.store_id = snapshots.store_id
            and changes.seq > snapshots.previous_seq
            and changes.seq <= snapshots.seq

),

touched as (

    select store_id, product_id from new_versions
    union
    select store_id, previous_product_id from new_versions where previous_product_id is not null
    union
    select items.store_id, items.product_id
    from {{ ref('stg_flowhub__inventory') }} as items
    inner join reach on items.store_id = reach.store_id and items.seq <= reach.upto_seq
    where items.inventory_key in (select inventory_key from new_listings)

),

touched_items as (

    select distinct items.store_id, items.inventory_key, reach.after_seq
    from {{ ref('stg_flowhub__inventory') }} as items
    inner join touched on items.store_id = touched.store_id and items.product_id = touched.product_id
    inner join reach on items.store_id = reach.store_id and items.seq <= reach.upto_seq

),

old_versions as (

    select
        items.*,
        row_number() over (partition by items.inventory_key order by items.seq desc, items.row_no desc) as recency
    from touched_items
    inner join {{ ref('stg_flowhub__inventory') }} as items
        on touched_items.inventory_key = items.inventory_key and touched_items.after_seq >= items.seq

),

old_listings as (

    select
        changes.inventory_key,
        changes.is_listed,
        row_number() over (partition by changes.inventory_key order by changes.seq desc) as recency
    from touched_items
    inner join {{ ref('int_shelf_changes') }} as changes
        on touched_items.inventory_key = changes.inventory_key and touched_items.after_seq >= changes.seq

),

version_points as (

    {% set described = [
        'product_id', 'on_hand', 'price', 'product_name', 'variant', 'brand', 'custom_category', 'product_type',
        'main_category',
    ] -%}
    select inventory_key, 0 as from_seq, seq as version_seq, {{ described | join(', ') }}
    from old_versions
    where recency = 1

    union all

    select inventory_key, from_seq, seq, {{ described | join(', ') }}
    from (
        select
            *,
            row_number() over (partition by inventory_key, from_seq order by seq desc, row_no desc) as recency
        from new_versions
    ) as ranked
    where recency = 1

),

listing_points as (

    select inventory_key, 0 as from_seq, case when is_listed then 1 else 0 end as listed
    from old_listings
    where recency = 1

    union all

    select inventory_key, from_seq, case when is_listed then 1 else 0 end
    from (
        select *, row_number() over (partition by inventory_key, from_seq order by seq desc) as recency
        from new_listings
    ) as ranked
    where recency = 1

),

points as (

    select inventory_key, from_seq from version_points
    union
    select inventory_key, from_seq from listing_points

),

-- between two points an item stays as it was
numbered as (

    select
        points.inventory_key,
        points.from_seq,
        versions.version_seq,
        {%- for column in described %}
        versions.{{ column }},
        {%- endfor %}
        listings.listed,
        count(versions.version_seq) over (partition by points.inventory_key order by points.from_seq) as version_no,
        count(listings.listed) over (partition by points.inventory_key order by points.from_seq) as listing_no
    from points
    left join version_points as versions
        on points.inventory_key = versions.inventory_key and points.from_seq = versions.from_seq
    left join listing_points as listings
        on points.inventory_key = listings.inventory_key and points.from_seq = listings.from_seq

),

states as (

    select
        inventory_key,
        from_seq,
        lead(from_seq) over (partition by inventory_key order by from_seq) as until_seq,
        max(version_seq) over (partition by inventory_key, version_no) as version_seq,
        {%- for column in described %}
        max({{ column }}) over (partition by inventory_key, version_no) as {{ column }},
        {%- endfor %}
        coalesce(max(listed) over (partition by inventory_key, listing_no), 0) = 1 as is_listed
    from numbered

),

placed as (

    select states.*, touched_items.store_id
    from states
    inner join touched_items on states.inventory_key = touched_items.inventory_key
    where states.product_id is not null

),

-- the lists in which a product may be another than before: where an item of it came, changed or went
turns as (

    select distinct placed.store_id, placed.product_id, snapshots.seq
    from placed
    inner join snapshots
        on placed.store_id = snapshots.store_id
            and (placed.from_seq = snapshots.seq or placed.until_seq = snapshots.seq)
    where (placed.store_id, placed.product_id) in (select store_id, product_id from touched)

),

synced_fields as (

    {{ synced_fields() }}

),

summed as (

    select
        turns.store_id,
        turns.product_id,
        turns.seq,
        cast(coalesce(
            sum(case when placed.is_listed and placed.on_hand > 0 then placed.on_hand end), 0
        ) as decimal(18, 4)) as quantity,
        min(case when placed.is_listed and placed.on_hand > 0 then placed.price end) as price,
        {%- for column in described if column not in ('product_id', 'on_hand', 'price') %}
        (array_agg(placed.{{ column }} order by placed.version_seq desc, placed.inventory_key))[1]
            as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from turns
    left join placed
        on turns.store_id = placed.store_id
            and turns.product_id = placed.product_id
            and turns.seq >= placed.from_seq
            and (placed.until_seq is null or turns.seq < placed.until_seq)
    group by turns.store_id, turns.product_id, turns.seq

),

shown as (

    select
        summed.store_id,
        summed.product_id,
        summed.seq,
        summed.quantity,
        {{ if_synced('price', 'summed.price') }} as price,
        summed.product_name,
        summed.variant,
        {{ if_synced('brand', 'summed.brand') }} as brand,
        {{ if_synced('custom_category', 'summed.custom_category') }} as custom_category,
        {{ if_synced('type', 'summed.product_type') }} as product_type,
        summed.main_category
    from summed
    {{ join_synced_fields('summed') }}

)

select
    shown.store_id,
    shown.product_id,
    shown.seq,
    snapshots.row_no,
    snapshots.status as snapshot_status,
    shown.product_name,
    shown.variant,
    shown.brand,
    {{ mapped_category('shown.custom_category', 'shown.product_type', 'shown.main_category') }} as category,
    shown.quantity,
    cast(shown.price as decimal(18, 2)) as stated_price,
    snapshots.taken_at,
    snapshots.received_at
from shown
inner join snapshots on shown.store_id = snapshots.store_id and shown.seq = snapshots.seq
{{ join_category_mapping('shown.custom_category', 'shown.product_type', 'shown.main_category') }}
