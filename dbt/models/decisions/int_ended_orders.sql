{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['object_type', 'object_id']) }}

{#- What was canceled, dismissed or refunded, under each name that an enrollment may know it by: the order, the cart
    that it came from, the sale that a refund takes back, and the cart of that. The first end counts. Cost follows the news
    of ends, and of carts, whose order at the till may be known after it has ended. -#}
with

ends as (

    select
        *,
        case event_name when 'order_refunded' then 'refunded' else 'canceled' end as ended_by
    from {{ ref('int_events') }}
    where {{ is_news() }} and event_name in ('order_canceled', 'order_refunded')

),

till_ends as (

    select object_id as pos_order_id, occurred_at, ended_by from ends where object_type = 'order'
    union all
    select {{ json_text('properties', ['original_order_id']) }}, occurred_at, ended_by from ends
    {%- if is_incremental() %}
    union all
    select known.object_id, known.ended_at, known.ended_by
    from {{ this }} as known
    inner join {{ ref('int_carts') }} as carts
        on known.object_type = 'order' and known.object_id = carts.pos_order_id
    where {{ changed_since('carts.changed_build_no') }}
    {%- endif %}

),

-- a cart that the point of sale took over ends with its order there, as the order that it was online, too
ended_carts as (

    select carts.cart_id, till_ends.occurred_at, till_ends.ended_by
    from till_ends
    inner join {{ ref('int_carts') }} as carts on till_ends.pos_order_id = carts.pos_order_id

),

named as (

    select object_type, object_id, occurred_at, ended_by from ends
    union all
    select 'cart', {{ json_text('properties', ['cart_id']) }}, occurred_at, ended_by from ends
    union all
    select 'order', {{ json_text('properties', ['pos_order_id']) }}, occurred_at, ended_by from ends
    union all
    select 'order', {{ json_text('properties', ['original_order_id']) }}, occurred_at, ended_by from ends
    union all
    select 'cart', cart_id, occurred_at, ended_by from ended_carts
    union all
    select 'order', 'jane-' || cart_id, occurred_at, ended_by from ended_carts

),

firsts as (

    select
        *,
        row_number() over (partition by object_type, object_id order by occurred_at, ended_by) as place
    from (
        select * from named
        {%- if is_incremental() %}
        union all
        select known.object_type, known.object_id, known.ended_at, known.ended_by
        from {{ this }} as known
        inner join named on known.object_type = named.object_type and known.object_id = named.object_id
        {%- endif %}
    ) as all_ends
    where object_type is not null and object_id is not null

)

select
    object_type,
    object_id,
    occurred_at as ended_at,
    ended_by
from firsts
where place = 1
