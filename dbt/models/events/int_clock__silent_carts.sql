{{ config(materialized='table', tags=['clock']) }}

{#- Carts that nobody has touched for CART_ABANDONED_AFTER_MINUTES, where no source has said so. The carts of the last
    day are looked at, the longest silence that the setting allows, so that a shorter one misses nobody; and those
    with news, whose silence may have been over before they were first seen. -#}
{%- set silence = "interval '" ~ (var('cart_abandoned_after_minutes') | int) ~ " minutes'" -%}

with

carts as (

    select * from {{ ref('int_carts') }}

)

select
    'cart_abandoned' as event_name,
    'cart:' || cart_id as subject,
    last_activity_at as since,
    last_activity_at + {{ silence }} as occurred_at,
    node,
    jane_store_id as store_id,
    'cart' as object_type,
    cart_id as object_id,
    amount,
    {{ json_object({
        'cart_id': 'cart_id', 'store_name': 'store_name', 'reservation_mode': 'reservation_mode',
        'last_activity_at': iso_utc('last_activity_at'),
    }) }} as properties
from carts
where last_activity_at <= {{ as_of() }} - {{ silence }}
    and (last_activity_at >= {{ last_as_of() }} - interval '1 day' or {{ changed_since() }})
    -- one report a silence: a source that was first is enough
    and coalesce(last_abandoned_at < last_activity_at, true)
    and ordered_at is null
    and status_rank < 20
    -- somebody, or at least a device, whom a message could reach one day
    and node not like 'jane_cart:%'
    and amount is distinct from 0
