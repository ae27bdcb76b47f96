{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='interest_key') }}

{#- Who cares for which product in which store, by the record that showed it: looked at, put into a cart, bought. What
    is kept is what was said; which product and which location that is by now is asked when a product has news. So it is
    the same whenever it is read. Cost follows the news: the events and deliveries of this moment, each looked up by a key
    of eight bytes. -#}
{%- set fields = {
    'product_id': 'VARCHAR', 'product_name': 'VARCHAR', 'brand': 'VARCHAR', 'variant': 'VARCHAR'
} -%}
with

events as (

    select
        event_name,
        source,
        occurred_at,
        node,
        store_id,
        {{ json_record('properties', dict(fields, lines=[fields])) }} as record
    from {{ ref('int_events') }}
    where {{ is_news() }}
        and event_name in ('viewed_product', 'added_to_cart', 'order_completed')
        and node is not null

),

told as (

    select
        event_name,
        source,
        occurred_at,
        node,
        store_id,
        {%- for name in fields %}
        {{ json_field('record', name) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from events
    where event_name <> 'order_completed'

    union all

    select
        events.event_name,
        events.source,
        events.occurred_at,
        events.node,
        events.store_id,
        {%- for name in fields %}
        {{ json_field('elements.element', name) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from events
    cross join {{ json_elements(json_field('events.record', 'lines')) }}
    where events.event_name = 'order_completed'

),

deliveries as (

    select
        cast(carts.seq as varchar) || ':' || cast(carts.row_no as varchar) as cart_id,
        {{ jane_node() }} as node,
        carts.jane_store_id as store_id,
        carts.products,
        carts.occurred_at as carted_at,
        case when statuses.order_status = 'fulfilled' then carts.occurred_at end as bought_at
    from {{ ref('stg_jane__carts') }} as carts
    inner join {{ ref('jane_statuses') }} as statuses on carts.jane_status = statuses.jane_status
    where {{ is_news('carts.seq') }} and carts.products is not null

),

lines as (

    {{ cart_lines('deliveries') }}

),

named as (

    {#- the till's orders name products as we do; a partner's id is its own, and a name is everybody's -#}
    select
        told.*,
        case when source = 'flowhub' then product_id else 'id:' || product_id end as product_ref
    from told
    where product_id is not null

    union all

    select
        told.*,
        {{ product_id_of('brand', 'product_name', 'cast(null as varchar)', 'variant', 'product_id') }}
    from told
    where product_name is not null and source <> 'flowhub'

),

shown as (

    select
        node,
        product_ref,
        store_id,
        case when event_name = 'viewed_product' then occurred_at end as viewed_at,
        case when event_name = 'added_to_cart' then occurred_at end as carted_at,
        case when event_name = 'order_completed' then occurred_at end as bought_at
    from named

    union all

    select
        deliveries.node,
        lines.product_id,
        deliveries.store_id,
        null,
        deliveries.carted_at,
        deliveries.bought_at
    from lines
    inner join deliveries on lines.cart_id = deliveries.cart_id
    -- a cart that names nobody is nobody's
    where deliveries.node not like 'jane_cart:%'

),

news as (

    select
        {{ key64("concat_ws('|', node, product_ref, store_id)") }} as interest_key,
        min(node) as node,
        min(product_ref) as product_ref,
        min(store_id) as store_id,
        max(viewed_at) as last_viewed_at,
        max(carted_at) as last_carted_at,
        max(bought_at) as last_bought_at
    from shown
    group by 1

)

select
    news.interest_key,
    news.node,
    {{ key64('news.node') }} as record_key,
    news.product_ref,
    news.store_id,
    {%- for column in ['last_viewed_at', 'last_carted_at', 'last_bought_at'] %}
    {% if is_incremental() -%}
    greatest(news.{{ column }}, known.{{ column }}) as {{ column }}
    {%- else -%}
    news.{{ column }}
    {%- endif %}
    {{- ',' if not loop.last }}
    {%- endfor %}
from news
{%- if is_incremental() %}
left join {{ this }} as known on news.interest_key = known.interest_key
{%- endif %}
