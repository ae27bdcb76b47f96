{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='order_id',
    pre_hook=["{{ drop_lines_of_changed_orders() }}"],
) }}

with

versions as (

    select
        order_id,
        items,
        seq,
        row_number() over (partition by order_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_flowhub__orders') }}
    where {{ is_news() }}

),

elements as (

    select
        versions.order_id,
        cast(elements.element_no as integer) as line_no,
        elements.element as record
    from versions
    cross join {{ json_elements('versions.items') }}
    where versions.recency = 1

)

select
    order_id,
    line_no,
    {{ json_field('record', 'productId') }} as product_id,
    {{ json_field('record', 'productName') }} as product_name,
    {{ json_field('record', 'category') }} as category,
    {{ json_field('record', 'sku') }} as sku,
    {{ json_field('record', 'brand') }} as brand,
    {{ json_field('record', 'quantity', 'decimal(18, 4)') }} as quantity,
    cast({{ json_field('record', 'unitPrice', 'decimal(18, 4)') }}
        {{- ' / 100' if var('flowhub_order_amount_unit') == 'cents' }} as decimal(18, 2)) as price,
    cast({{ json_field('record', 'totalDiscounts', 'decimal(18, 4)') }}
        {{- ' / 100' if var('flowhub_order_amount_unit') == 'cents' }} as decimal(18, 2)) as discount,
    cast({{ json_field('record', 'totalPrice', 'decimal(18, 4)') }}
        {{- ' / 100' if var('flowhub_order_amount_unit') == 'cents' }} as decimal(18, 2)) as total
from elements
