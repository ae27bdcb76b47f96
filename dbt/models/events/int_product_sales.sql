{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['store_id', 'product_id']) }}

{#- How often each product was sold in each store: the lines of completed orders, counted when they are news. What was
    taken back later was sold all the same. Cost follows the news. -#}
with

orders as (

    select
        store_id,
        {{ json_record('properties', {'lines': [{'product_id': 'VARCHAR', 'category': 'VARCHAR'}]}) }} as record
    from {{ ref('int_events__flowhub') }}
    where {{ is_news() }} and event_name = 'order_completed' and store_id is not null

),

lines as (

    select
        orders.store_id,
        {{ json_field('elements.element', 'product_id') }} as product_id,
        {{ json_field('elements.element', 'category') }} as category
    from orders
    cross join {{ json_elements(json_field('orders.record', 'lines')) }}

),

news as (

    select
        store_id,
        product_id,
        max(category) as category,
        count(*) as times_sold
    from lines
    where product_id is not null
    group by store_id, product_id

)

select
    news.store_id,
    news.product_id,
    {%- if is_incremental() %}
    coalesce(news.category, known.category) as category,
    coalesce(known.times_sold, 0) + news.times_sold as times_sold
    {%- else %}
    news.category,
    news.times_sold
    {%- endif %}
from news
{%- if is_incremental() %}
left join {{ this }} as known on news.store_id = known.store_id and news.product_id = known.product_id
{%- endif %}
