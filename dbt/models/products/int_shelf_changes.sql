{{ config(materialized='incremental', incremental_strategy='append') }}

{#- A marker names all that lies on a store's shelves. What changes from list to list is kept, not the lists: a list
    that equals the one before it is not taken apart. Cost follows the lists that are new and what they name. -#}
with

landed as (

    {{ landed('flowhub', ['pulls']) }}

),

records as (

    select
        landed.*,
        {{ json_record('payload', {
            'stream': 'VARCHAR', 'location_id': 'VARCHAR', 'started_at': 'VARCHAR', 'complete': 'BOOLEAN',
            'keys': ['VARCHAR']
        }) }} as record
    from landed

),

lists as (

    select
        seq,
        row_no,
        {{ json_field('record', 'location_id') }} as store_id,
        {{ utc_timestamp(json_field('record', 'started_at')) }} as taken_at,
        {{ json_field('record', 'keys') }} as keys,
        coalesce(lag(md5(cast({{ json_field('record', 'keys') }} as varchar))) over (
            partition by {{ json_field('record', 'location_id') }} order by seq, row_no
        ), '') <> md5(cast({{ json_field('record', 'keys') }} as varchar)) as is_another
    from records
    where {{ json_field('record', 'stream') }} = 'inventory'
        and {{ json_field('record', 'complete', 'boolean') }}
        and nullif({{ json_field('record', 'location_id') }}, '') is not null
        and {{ utc_timestamp(json_field('record', 'started_at')) }} is not null
        and {{ json_field('record', 'keys') }} is not null

),

numbered as (

    select
        *,
        row_number() over (partition by store_id order by seq, row_no) as list_no
    from lists
    where is_another

),

known as (

    {% if is_incremental() -%}
    select store_id, inventory_key, product_id
    from (
        select
            store_id,
            inventory_key,
            product_id,
            is_listed,
            row_number() over (partition by store_id, inventory_key order by seq desc) as recency
        from {{ this }}
        where store_id in (select store_id from numbered)
    ) as latest
    where recency = 1 and is_listed
    {%- else -%}
    select
        cast(null as varchar) as store_id,
        cast(null as varchar) as inventory_key,
        cast(null as varchar) as product_id
    where false
    {%- endif %}

),

named as (

    select distinct
        numbered.store_id,
        numbered.list_no,
        elements.element as inventory_key
    from numbered
    cross join {{ json_values('numbered.keys') }}

    union all

    select store_id, 0, inventory_key
    from known

),

neighbours as (

    select
        *,
        lag(list_no) over (partition by store_id, inventory_key order by list_no) as named_before,
        lead(list_no) over (partition by store_id, inventory_key order by list_no) as named_after
    from named

),

changes as (

    select store_id, inventory_key, list_no, true as is_listed
    from neighbours
    where named_before is null or named_before < list_no - 1

    union all

    select store_id, inventory_key, list_no + 1, false
    from neighbours
    where named_after is null or named_after > list_no + 1

),

dated as (

    select
        changes.store_id,
        changes.inventory_key,
        changes.list_no,
        changes.is_listed,
        numbered.seq,
        numbered.row_no,
        numbered.taken_at
    from changes
    left join numbered
        on changes.store_id = numbered.store_id and changes.list_no = numbered.list_no
    -- what the newest list names has not been left out by any
    where changes.list_no = 0 or numbered.seq is not null

),

versions as (

    select
        dated.store_id,
        dated.inventory_key,
        dated.list_no,
        items.product_id,
        row_number() over (
            partition by dated.store_id, dated.inventory_key, dated.list_no order by items.seq desc, items.row_no desc
        ) as recency
    from dated
    inner join {{ ref('stg_flowhub__inventory') }} as items
        on dated.inventory_key = items.inventory_key and dated.seq >= items.seq
    where dated.is_listed and dated.list_no > 0

),

-- an item leaves as the product that it came as, even when it was renamed meanwhile: so counts of products stay right
named_products as (

    select
        dated.*,
        case when dated.list_no = 0 then known.product_id else versions.product_id end as listed_product_id
    from dated
    left join known
        on dated.store_id = known.store_id and dated.inventory_key = known.inventory_key
    left join versions
        on dated.store_id = versions.store_id
            and dated.inventory_key = versions.inventory_key
            and dated.list_no = versions.list_no
            and versions.recency = 1

),

attributed as (

    select
        *,
        case
            when is_listed then listed_product_id
            else lag(listed_product_id) over (partition by store_id, inventory_key order by list_no)
        end as product_id
    from named_products

)

select
    seq,
    row_no,
    store_id,
    inventory_key,
    product_id,
    is_listed,
    taken_at
from attributed
where list_no > 0
