{{ config(materialized='incremental', incremental_strategy='merge', unique_key='order_id') }}

{#- A confirmed order, and what became of its push. Cost follows what was decided and answered since. -#}
with

receipts as (

    select
        *,
        row_number() over (partition by push_id order by receipt_no desc) as recency
    from {{ ref('stg_perennial__order_receipts') }}
    where seq <= {{ var('upto_seq') | int }}

),

touched as (

    select push_id from {{ ref('int_order_pushes') }} where {{ changed_since('build_no') }}
    union
    select push_id from {{ ref('stg_perennial__order_receipts') }} where {{ is_news() }}

)

select
    pushes.order_id,
    pushes.cart_id,
    receipts.pos_order_id,
    pushes.store_id,
    pushes.jane_store_id,
    pushes.channel,
    pushes.verdict,
    pushes.reason,
    reasons.sentence as reason_sentence,
    pushes.line_count,
    pushes.confirmed_at,
    pushes.decided_at,
    case when pushes.verdict = 'push' then coalesce(receipts.status, 'pending') end as status,
    coalesce(receipts.attempts, 0) as attempts,
    receipts.accepted_at,
    receipts.error
from {{ ref('int_order_pushes') }} as pushes
left join receipts on pushes.push_id = receipts.push_id and receipts.recency = 1
left join {{ ref('order_push_reasons') }} as reasons on pushes.reason = reasons.reason
where pushes.push_id in (select touched.push_id from touched)
