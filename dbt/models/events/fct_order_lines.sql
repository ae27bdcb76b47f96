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
    elements.order_id,
    elements.line_no,
    {%- for name, expression in order_line('elements.record').items() %}
    {{ expression }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from elements
{{ join_category_mapping(
    'cast(null as varchar)', json_field('elements.record', 'type'), json_field('elements.record', 'category')
) }}
