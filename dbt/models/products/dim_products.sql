{{ config(materialized='table') }}

{#- Made anew from the catalogue, so that an edited seed reaches every product with the next build. -#}
with

products as (

    select
        *,
        row_number() over (partition by product_id order by last_seq desc, store_id) as recency
    from {{ ref('int_products__mapped') }}

),

terpenes as (

    select
        product_id,
        store_id,
        '[' || string_agg({{ json_object({
            'terpene': 'terpene', 'lowest': 'lowest', 'highest': 'highest', 'unit': 'unit',
        }) }}, ',' order by terpene_no) || ']' as terpenes
    from {{ ref('int_products__terpenes') }}
    group by product_id, store_id

)

select
    products.product_id,
    max(case when products.recency = 1 then products.product_name end) as product_name,
    max(case when products.recency = 1 then products.variant end) as variant,
    {% for field in ['brand', 'strain_name', 'strain_type', 'picture_url'] -%}
    (array_agg(products.{{ field }} order by products.recency)
        filter (where products.{{ field }} is not null))[1] as {{ field }},
    {% endfor -%}
    max(case when products.recency = 1 then products.category end) as category,
    max(case when products.recency = 1 then products.subtype end) as subtype,
    (array_agg(terpenes.terpenes order by products.recency) filter (where terpenes.terpenes is not null))[1]
        as terpenes,
    min(products.first_seen_at) as first_seen_at,
    max(products.last_seen_at) as last_seen_at
from products
left join terpenes on products.product_id = terpenes.product_id and products.store_id = terpenes.store_id
group by products.product_id
