{{ config(materialized='incremental', incremental_strategy='append') }}

{#- A confirmed e-commerce order decided once, for ever: pushed into Flowhub, or refused with the reason. Cost follows
    the orders that were confirmed since. While a rebuild restores, the rows are what was landed when they were
    decided. -#}
{%- if var('restore') %}

{{ landed_order_pushes() }}

{%- else %}

with

confirmed as (

    select *
    from {{ ref('int_carts') }} as carts
    where {{ changed_since() }} and carts.confirmed_at is not null
        {%- if is_incremental() %}
        and carts.cart_id not in (select decided.cart_id from {{ this }} as decided)
        {%- endif %}

),

switch as (

    select is_on, since from {{ source('ops', 'switches') }} where switch_name = 'FLOWHUB_SYNC_ORDERS'

),

told as (

    {#- what the deliveries of the order say about the shopper and the way to her: the newest word of each -#}
    select
        deliveries.cart_id
        {%- for field in ['full_name', 'email', 'phone', 'medical_id', 'order_note', 'promo_code', 'delivery_address',
                          'customer_birth_date', 'delivery_fee', 'requested_at'] %},
        (array_agg(deliveries.{{ field }} order by deliveries.occurred_at desc, deliveries.seq desc)
            filter (where deliveries.{{ field }} is not null))[1] as {{ field }}
        {%- endfor %}
    from {{ ref('stg_jane__carts') }} as deliveries
    where deliveries.cart_id in (select confirmed.cart_id from confirmed)
        and deliveries.received_at >= {{ as_of() }} - interval '{{ var("order_deliveries_days") }} days'
    group by deliveries.cart_id

),

located as (

    select
        confirmed.*,
        coalesce(store_links.store_id, location_names.store_id) as store_id
    from confirmed
    {{ join_location('confirmed') }}

),

lines as (

    {{ cart_lines('confirmed') }}

),

shelves as (

    {#- what of a product lies in the store, by the till's id of its batch: the room does not matter to an order -#}
    select
        items.store_id,
        items.product_id,
        items.pos_product_id,
        sum(greatest(items.on_hand, 0)) as on_hand
    from {{ ref('int_inventory_items') }} as items
    where items.is_listed and {{ is_taken_stock('items.room_id', 'items.purchase_category') }}
        and items.product_id in (select lines.product_id from lines)
    group by items.store_id, items.product_id, items.pos_product_id

),

batches as (

    {#- a batch that has enough of it; of several, and where none has, the one with the most -#}
    select
        lines.*,
        shelves.pos_product_id,
        row_number() over (
            partition by lines.cart_id, lines.line_no
            order by
                case when shelves.on_hand >= lines.quantity then 0 else 1 end,
                shelves.on_hand desc,
                shelves.pos_product_id
        ) as batch_no
    from lines
    inner join located on lines.cart_id = located.cart_id
    left join shelves on located.store_id = shelves.store_id and lines.product_id = shelves.product_id

),

items as (

    select
        cart_id,
        cast(count(*) as integer) as line_count,
        bool_or(pos_product_id is null) as is_unknown,
        '[' || string_agg({{ json_object({
            'productId': 'pos_product_id', 'quantityPurchased': 'quantity',
        }) }}, ',' order by line_no) || ']' as order_items
    from batches
    where batch_no = 1 and quantity > 0
    group by cart_id

),

judged as (

    select
        located.*,
        told.full_name,
        told.email,
        told.phone,
        told.medical_id,
        told.order_note,
        told.promo_code,
        told.delivery_address,
        told.delivery_fee,
        told.requested_at,
        coalesce(told.customer_birth_date, cast(people.birth_date as varchar)) as birth_date,
        map.customer_id,
        case when people.programme = 'med' then 'med' else 'rec' end as med_or_rec,
        coalesce(items.line_count, 0) as line_count,
        items.order_items,
        case
            when located.pos_order_id is not null then 'at_pos'
            when located.canceled_at is not null then 'canceled'
            -- the first status that came may be the last: the shopper has it, the till must not prepare it
            when located.fulfilled_at is not null then 'fulfilled'
            when not coalesce((select switch.is_on from switch), false) then 'switched_off'
            when located.confirmed_at < (select switch.since from switch) then 'before_activation'
            when items.cart_id is null then 'no_lines'
            when told.phone is null and told.medical_id is null then 'no_contact'
            when located.store_id is null then 'unknown_store'
            when items.is_unknown then 'unknown_product'
        end as reason
    from located
    left join told on located.cart_id = told.cart_id
    left join items on located.cart_id = items.cart_id
    left join {{ ref('int_identity__map') }} as map on {{ key64('located.node') }} = map.record_key
    left join {{ ref('dim_customers') }} as people on map.customer_id = people.customer_id

)

{#- what is not sent is not kept here a second time -#}
select
    md5('order_push|' || cart_id) as push_id,
    cart_id,
    'jane-' || cart_id as order_id,
    {{ key64('node') }} as record_key,
    coalesce(customer_id, 'jane-' || cart_id) as customer_id,
    store_id,
    jane_store_id,
    case
        when lower(reservation_mode) in ('delivery', 'kiosk') then lower(reservation_mode)
        else 'pickup'
    end as channel,
    case when reason is null then 'push' else 'refused' end as verdict,
    reason,
    line_count,
    confirmed_at,
    {{ as_of() }} as decided_at,
    {{ build_no() }} as build_no,
    ordered_at,
    case when reason is null then coalesce(split_part(full_name, ' ', 1), 'Guest') end as first_name,
    case
        when reason is null
            then coalesce(nullif(trim(substr(full_name, length(split_part(full_name, ' ', 1)) + 1)), ''), '-')
    end as last_name,
    case when reason is null then birth_date end as birth_date,
    case when reason is null then med_or_rec end as med_or_rec,
    case when reason is null then phone end as phone,
    case when reason is null then email end as email,
    case when reason is null then medical_id end as medical_id,
    case when reason is null then order_items end as order_items,
    case when reason is null then {{ json_text('delivery_address', ['street']) }} end as street,
    case when reason is null then {{ json_text('delivery_address', ['street2']) }} end as second_street,
    case when reason is null then {{ json_text('delivery_address', ['city']) }} end as city,
    case when reason is null then {{ json_text('delivery_address', ['state']) }} end as state,
    case when reason is null then {{ json_text('delivery_address', ['zip']) }} end as postal_code,
    case when reason is null then order_note end as order_note,
    case when reason is null then promo_code end as promo_code,
    case when reason is null then cast(delivery_fee * 100 as bigint) end as delivery_fee_cents,
    case when reason is null then requested_at end as requested_at,
    -- by then the store has prepared the order without the till, or typed it in
    case when reason is null then confirmed_at + interval '24 hours' end as expires_at
from judged

{%- endif %}
