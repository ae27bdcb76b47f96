{{ config(materialized='table') }}

{#- For who asks why a product is shown as gone, or why no event came of a list. Older ones stay in the step before. -#}
select
    store_id,
    started_at,
    ended_at,
    status,
    is_believed,
    products,
    products_lacking
from {{ ref('int_inventory_snapshots') }}
where started_at > {{ as_of() }} - interval '7 days'
