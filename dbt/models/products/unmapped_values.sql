{{ config(materialized='table') }}

{#- Made anew from the catalogue: a value that gets its row in a seed leaves the list with the next build. -#}
with

products as (

    select * from {{ ref('int_products__mapped') }}

),

found as (

    select 'custom_category' as field, custom_category as value, product_id, product_name
    from products
    where custom_category is not null and not is_custom_category_mapped

    union all

    -- a type that says nothing is no loss where an earlier or later field gives the category
    select 'type', product_type, product_id, product_name
    from products
    where product_type is not null and not is_type_mapped and not is_custom_category_mapped and not is_category_mapped

    union all

    select 'category', main_category, product_id, product_name
    from products
    where main_category is not null and not is_category_mapped and not is_custom_category_mapped and not is_type_mapped

    union all

    select 'strain_type', species_name, product_id, product_name
    from products
    where not is_species_mapped

    union all

    select 'terpene', terpenes.spelling, products.product_id, products.product_name
    from {{ ref('int_products__terpenes') }} as terpenes
    inner join products on terpenes.product_id = products.product_id and terpenes.store_id = products.store_id
    where not terpenes.is_mapped

)

select
    field,
    lower(value) as value,
    cast(count(distinct product_id) as integer) as products,
    min(product_name) as example_product
from found
group by field, lower(value)
