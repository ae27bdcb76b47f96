{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key=['stream'], tags=['scheduled'],
) }}

{#- Running totals: the counts of what landed since the last build are added, so cost follows the news. What landed is
    counted by the manifest, which no model has a hand in; what became of it by the tables that hold it. -#}
with

landed as (

    select
        stream,
        sum(row_count) as landed_rows
    from {{ source('ops', 'landed_batches') }}
    where {{ is_news() }}
    group by stream

),

disposed as (

    {%- for model_name in judging_models() %}
    select
        landed_stream as stream,
        disposition,
        count(*) as disposed_rows
    from {{ ref(model_name) }}
    where {{ is_news() }}
    group by landed_stream, disposition

    union all
    {%- endfor %}

    {{ own_rows_kept() }}

),

news as (

    select
        coalesce(landed.stream, disposed.stream) as stream,
        coalesce(max(landed.landed_rows), 0) as landed_rows,
        coalesce(sum(case when disposed.disposition = 'loaded' then disposed.disposed_rows end), 0) as loaded_rows,
        coalesce(sum(case when disposed.disposition = 'quarantined' then disposed.disposed_rows end), 0)
            as quarantined_rows,
        coalesce(
            sum(case when disposed.disposition = 'duplicate' then disposed.disposed_rows end), 0
        ) as duplicate_rows,
        coalesce(sum(case when disposed.disposition = 'erased' then disposed.disposed_rows end), 0) as erased_rows
    from landed
    full outer join disposed on landed.stream = disposed.stream
    group by coalesce(landed.stream, disposed.stream)

),

totals as (

    select * from news

    {%- if is_incremental() %}

    union all

    select
        stream,
        landed_rows,
        loaded_rows,
        quarantined_rows,
        duplicate_rows,
        erased_rows
    from {{ this }}
    where stream in (select stream from news)
    {%- endif %}

)

select
    stream,
    cast(sum(landed_rows) as bigint) as landed_rows,
    cast(sum(loaded_rows) as bigint) as loaded_rows,
    cast(sum(quarantined_rows) as bigint) as quarantined_rows,
    cast(sum(duplicate_rows) as bigint) as duplicate_rows,
    cast(sum(erased_rows) as bigint) as erased_rows,
    cast(sum(landed_rows - loaded_rows - quarantined_rows - duplicate_rows - erased_rows) as bigint) as missing_rows
from totals
group by stream
