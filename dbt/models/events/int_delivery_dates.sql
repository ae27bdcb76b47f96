{{ config(materialized='incremental', incremental_strategy='append') }}

{#- When orders come, by what partners say of them, each word beside the word before it in the log. A word that tells of
    an earlier instant than one before it comes too late to mean anything and is left out, so it makes no difference how the
    log is cut into builds. Cost follows the news: of the past only these words are read, by a column of eight bytes. -#}
with

words as (

    select
        {{ key64("source || '|' || object_id") }} as order_key,
        event_id,
        event_name,
        source,
        occurred_at,
        received_at,
        seq,
        row_no,
        node,
        store_id,
        object_id as order_id,
        {{ text_as('substr(' ~ json_text('properties', ['delivery_date']) ~ ', 1, 10)', 'date') }} as delivery_on
    from {{ ref('int_events__partners') }}
    where {{ is_news() }} and object_type = 'order' and properties like '%"delivery_date"%'

),

known as (
{% if is_incremental() %}
    select
        order_key,
        max(occurred_at) as last_at,
        (array_agg(delivery_on order by seq desc, row_no desc))[1] as delivery_on
    from {{ this }}
    where order_key in (select words.order_key from words)
    group by order_key
{% else %}
    select order_key, occurred_at as last_at, delivery_on from words where false
{% endif %}
),

placed as (

    select
        words.*,
        known.delivery_on as known_delivery_on,
        greatest(known.last_at, max(words.occurred_at) over (
            partition by words.order_key order by words.seq, words.row_no
            rows between unbounded preceding and 1 preceding
        )) as last_at
    from words
    left join known on words.order_key = known.order_key
    where words.delivery_on is not null

),

compared as (

    select
        placed.*,
        coalesce(
            lag(delivery_on) over (partition by order_key order by seq, row_no), known_delivery_on
        ) as previous_delivery_on
    from placed
    where last_at is null or occurred_at >= last_at

)

select
    order_key,
    event_id,
    source,
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    store_id,
    order_id,
    delivery_on,
    previous_delivery_on,
    -- what the partner calls a change itself needs no second event
    event_name <> 'delivery_date_changed' and coalesce(delivery_on <> previous_delivery_on, true) as is_change
from compared
