{{ config(materialized='incremental', incremental_strategy='append') }}

{#- What a store has of each product from believed list to believed list: a row where the quantity or the price is
    another one, with what events need to know of the rows before it. Cost follows the counts of this moment: of each
    product the last row is looked up. -#}
with

counts as (

    select * from {{ ref('int_product_counts') }} where {{ is_news() }}

),

{% if is_incremental() -%}
known as (

    select *
    from (
        select *, row_number() over (partition by store_id, product_id order by seq desc) as recency
        from {{ this }}
        where (store_id, product_id) in (select store_id, product_id from counts)
    ) as ranked
    where recency = 1

),

{% endif -%}

series as (

    select
        store_id,
        product_id,
        seq,
        row_no,
        snapshot_status as status,
        product_name,
        variant,
        brand,
        category,
        quantity,
        stated_price,
        cast(null as timestamp) as known_price_changed_at,
        cast(null as timestamp) as known_stockout_since,
        cast(null as timestamp) as known_returned_at,
        cast(null as decimal(18, 4)) as known_peak,
        cast(null as varchar) as known_first_status,
        0 as known_available,
        taken_at,
        received_at,
        true as is_news
    from counts
    {%- if is_incremental() %}

    union all

    select
        store_id,
        product_id,
        seq,
        row_no,
        snapshot_status,
        product_name,
        variant,
        brand,
        category,
        quantity,
        price,
        price_changed_at,
        stockout_since,
        returned_at,
        greatest(peak_before, quantity),
        first_status,
        case when has_been_available then 1 else 0 end,
        taken_at,
        received_at,
        false
    from known
    {%- endif %}

),

-- what can't be bought keeps its price
priced as (

    select
        *,
        max(stated_price) over (partition by store_id, product_id, price_no) as price
    from (
        select
            *,
            count(stated_price) over (partition by store_id, product_id order by seq) as price_no
        from series
    ) as counted

),

compared as (

    select
        *,
        lag(seq) over (partition by store_id, product_id order by seq) is null as is_first,
        lag(quantity) over (partition by store_id, product_id order by seq) as previous_quantity,
        lag(price) over (partition by store_id, product_id order by seq) as previous_price
    from priced

),

changed as (

    select
        *,
        -- out of stock begins where the last of it goes, or where the store's first list shows none
        case
            when not is_news then known_stockout_since
            when quantity = 0 and (previous_quantity > 0 or (is_first and status <> 'compared')) then taken_at
        end as stockout_mark,
        case
            when not is_news then known_returned_at
            when quantity > 0 and previous_quantity = 0 then taken_at
        end as returned_mark,
        case
            when not is_news then known_price_changed_at
            when (price is distinct from previous_price) then taken_at
        end as price_mark,
        sum(case when is_news and quantity > 0 and previous_quantity = 0 then 1 else 0 end) over (
            partition by store_id, product_id order by seq
        ) as run_no
    from compared
    where not is_news
        or is_first
        or quantity <> previous_quantity
        or price is distinct from previous_price

),

remembered as (

    select
        *,
        max(stockout_mark) over (partition by store_id, product_id order by seq) as stockout_since,
        max(returned_mark) over (partition by store_id, product_id order by seq) as returned_at,
        max(price_mark) over (partition by store_id, product_id order by seq) as price_changed_at,
        max(greatest(quantity, coalesce(known_peak, 0))) over (
            partition by store_id, product_id, run_no order by seq rows between unbounded preceding and 1 preceding
        ) as peak_before,
        first_value(coalesce(known_first_status, status)) over (partition by store_id, product_id order by seq)
            as first_status,
        coalesce(max(greatest(known_available, case when quantity > 0 then 1 else 0 end)) over (
            partition by store_id, product_id order by seq rows between unbounded preceding and 1 preceding
        ), 0) = 1 as was_available
    from changed

)

select
    seq,
    row_no,
    store_id,
    product_id,
    status as snapshot_status,
    product_name,
    variant,
    brand,
    category,
    quantity,
    cast(previous_quantity as decimal(18, 4)) as previous_quantity,
    cast(price as decimal(18, 2)) as price,
    cast(previous_price as decimal(18, 2)) as previous_price,
    -- nothing of an earlier run counts: sold out is sold out
    cast(case when previous_quantity > 0 then peak_before end as decimal(18, 4)) as peak_before,
    first_status,
    was_available or quantity > 0 as has_been_available,
    quantity > 0 and not was_available as is_first_available,
    price_changed_at,
    stockout_since,
    returned_at,
    taken_at,
    received_at
from remembered
where is_news
