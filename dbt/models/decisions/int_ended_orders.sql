{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['object_type', 'object_id']) }}

{#- What was canceled, dismissed or refunded, under each name that an enrollment may know it by: the order, the cart
    that it came from, the sale that a refund takes back. The first end counts. Cost follows the news. -#}
with

ends as (

    select
        *,
        case event_name when 'order_refunded' then 'refunded' else 'canceled' end as ended_by
    from {{ ref('int_events') }}
    where {{ is_news() }} and event_name in ('order_canceled', 'order_refunded')

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
    -- a cart that the point of sale took over ends with its order there
    select 'cart', carts.cart_id, ends.occurred_at, ends.ended_by
    from ends
    inner join {{ ref('int_carts') }} as carts on ends.object_id = carts.pos_order_id
    where ends.object_type = 'order'

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
