{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['enrollment_id', 'destination']) }}

{#- The newest receipt of each enrollment. -#}
with

receipts as (

    select
        *,
        row_number() over (partition by enrollment_id, destination order by receipt_no desc) as recency
    from {{ ref('stg_perennial__receipts') }}
    where {{ is_news() }}

)

select
    enrollment_id,
    destination,
    status,
    attempts,
    accepted_at,
    error
from receipts
where recency = 1
