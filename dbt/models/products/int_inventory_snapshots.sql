{{ config(materialized='incremental', incremental_strategy='append') }}

{#- What each list of a store's shelves is worth. Products that left the list in the last hours are lacking; when they
    are too many the list is not believed, until they have been away for so long that they are gone. Cost follows the
    new lists and what changed on the shelves in those hours. -#}
{%- set patience = "interval '" ~ var('lack_is_real_after_hours') ~ " hours'" -%}
with

markers as (

    select
        seq,
        row_no,
        pull_id,
        store_id,
        started_at,
        ended_at,
        received_at,
        is_complete,
        stock_filter
    from {{ ref('stg_flowhub__pulls') }}
    where pulled_stream = 'inventory' and store_id is not null and {{ is_news() }}

),

{% if is_incremental() -%}
earlier as (

    select
        *,
        row_number() over (partition by store_id order by seq desc) as recency,
        row_number() over (partition by store_id, is_complete order by seq desc) as complete_recency,
        row_number() over (partition by store_id, is_believed order by seq desc) as believed_recency
    from {{ this }}
    where store_id in (select store_id from markers)

),

{% endif -%}

complete_lists as (

    select store_id, seq, stock_filter from markers where is_complete
    {%- if is_incremental() %}
    union all
    select store_id, seq, stock_filter from earlier where is_complete and complete_recency = 1
    {%- endif %}

),

filters_before as (

    select
        *,
        lag(stock_filter, 1, stock_filter) over (partition by store_id order by seq) as filter_before
    from complete_lists

),

-- other rooms or purchase categories than before: what is missing was left out on purpose
filters as (

    select
        store_id,
        seq,
        stock_filter <> filter_before as is_filter_changed
    from filters_before

),

baselines as (

    select
        markers.*,
        coalesce(filters.is_filter_changed, false) as is_filter_changed,
        {%- if is_incremental() %}
        greatest(
            coalesce(max(case when filters.is_filter_changed then markers.seq end) over (
                partition by markers.store_id order by markers.seq
            ), 0),
            coalesce(earlier.baseline_seq, 0)
        ) as baseline_seq,
        earlier.seq as earlier_seq,
        coalesce(earlier.products, 0) as earlier_products
        {%- else %}
        coalesce(max(case when filters.is_filter_changed then markers.seq end) over (
            partition by markers.store_id order by markers.seq
        ), 0) as baseline_seq,
        cast(null as bigint) as earlier_seq,
        0 as earlier_products
        {%- endif %}
    from markers
    left join filters on markers.store_id = filters.store_id and markers.seq = filters.seq
    {%- if is_incremental() %}
    left join earlier on markers.store_id = earlier.store_id and earlier.recency = 1
    {%- endif %}

),

reach as (

    select
        store_id,
        min(started_at) - {{ patience }} as since,
        min(coalesce(earlier_seq, 0)) as after_seq
    from baselines
    group by store_id

),

recent as (

    select distinct changes.store_id, changes.product_id
    from {{ ref('int_shelf_changes') }} as changes
    inner join reach on changes.store_id = reach.store_id
    where changes.product_id is not null
        and (changes.taken_at > reach.since or changes.seq > reach.after_seq)
        and changes.seq <= {{ var('upto_seq') | int }}

),

items_listed as (

    select
        store_id,
        product_id,
        seq,
        taken_at,
        sum(sum(case when is_listed then 1 else -1 end)) over (
            partition by store_id, product_id order by seq
        ) as items
    from {{ ref('int_shelf_changes') }}
    where (store_id, product_id) in (select store_id, product_id from recent)
        and seq <= {{ var('upto_seq') | int }}
    group by store_id, product_id, seq, taken_at

),

turns as (

    select
        store_id,
        product_id,
        seq,
        taken_at,
        items > 0 as is_listed,
        lag(items, 1, 0) over (partition by store_id, product_id order by seq) > 0 as was_listed
    from items_listed

),

product_changes as (

    select
        *,
        lead(seq) over (partition by store_id, product_id order by seq) as next_seq
    from turns
    where is_listed <> was_listed

),

counted as (

    select
        baselines.seq,
        baselines.row_no,
        coalesce(sum(
            case
                when product_changes.seq > coalesce(baselines.earlier_seq, 0)
                    then case when product_changes.is_listed then 1 else -1 end
            end
        ), 0) as products_more,
        coalesce(sum(
            case
                when not product_changes.is_listed
                    and (product_changes.next_seq is null or product_changes.next_seq > baselines.seq)
                    and product_changes.taken_at > baselines.started_at - {{ patience }}
                    and product_changes.seq > baselines.baseline_seq
                    then 1
            end
        ), 0) as products_lacking
    from baselines
    left join product_changes
        on baselines.store_id = product_changes.store_id and baselines.seq >= product_changes.seq
    group by baselines.seq, baselines.row_no

),

judged as (

    select
        baselines.*,
        cast(baselines.earlier_products + counted.products_more as integer) as products,
        cast(counted.products_lacking as integer) as products_lacking,
        counted.products_lacking * 100
        > {{ var('snapshot_may_lack_percent') }}
        * (baselines.earlier_products + counted.products_more + counted.products_lacking) as is_lacking
    from baselines
    inner join counted on baselines.seq = counted.seq and baselines.row_no = counted.row_no

),

believed as (

    select
        store_id,
        seq,
        lag(seq) over (partition by store_id order by seq) as previous_seq
    from (
        select store_id, seq from judged where is_complete and not is_lacking
        {%- if is_incremental() %}
        union all
        select store_id, seq from earlier where is_believed and believed_recency = 1
        {%- endif %}
    ) as chain

)

select
    judged.seq,
    judged.row_no,
    judged.pull_id,
    judged.store_id,
    case
        when not judged.is_complete then 'incomplete'
        when judged.is_lacking then 'lacking'
        when believed.previous_seq is null then 'first'
        when judged.is_filter_changed then 'filter_changed'
        else 'compared'
    end as status,
    judged.stock_filter,
    judged.products,
    judged.products_lacking,
    judged.is_complete,
    judged.is_complete and not judged.is_lacking as is_believed,
    judged.baseline_seq,
    believed.previous_seq,
    judged.started_at,
    judged.ended_at,
    judged.received_at
from judged
left join believed on judged.store_id = believed.store_id and judged.seq = believed.seq
