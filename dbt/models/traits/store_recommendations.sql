{#- What each store can recommend in each category: of the products that it has on its shelves now the five that it sold
    most often. -#}
with

available as (

    select
        store_id,
        product_id
    from {{ ref('fct_inventory_levels') }}
    where available > 0
    group by store_id, product_id

),

ranked as (

    select
        sales.store_id,
        sales.category,
        sales.product_id,
        row_number() over (
            partition by sales.store_id, sales.category order by sales.times_sold desc, sales.product_id
        ) as place
    from {{ ref('int_product_sales') }} as sales
    inner join available on sales.store_id = available.store_id and sales.product_id = available.product_id
    where sales.category is not null

)

select
    store_id,
    category,
    '[' || string_agg(cast(to_json(product_id) as varchar), ',' order by place) || ']' as product_ids
from ranked
where place <= 5
group by store_id, category
