{#- The occurrences of an order's news, each with the order or cart that it is about. A cart has one name at Jane and, once
    the till has taken it over, another one there: both are one order, named after the cart. `status` picks one of Jane's
    statuses. -#}
{% macro orders_of(event_names, status=none) -%}
    select
        triggers.*,
        coalesce(own.cart_id, taken_over.cart_id, triggers.object_id) as order_key,
        coalesce(own.cart_id, taken_over.cart_id) as cart_id,
        coalesce(own.pos_order_id, case when own.cart_id is null then triggers.object_id end) as order_id,
        coalesce(own.amount, triggers.amount) as order_amount,
        coalesce(own.store_name, stores.store_name) as store_name,
        coalesce(own.reservation_mode, {{ json_text('triggers.properties', ['order_type']) }}) as reservation_mode,
        coalesce(own.products, {{ json_text('triggers.properties', ['lines']) }}) as products,
        coalesce(own.status_rank, 0) as status_rank,
        own.canceled_at,
        own.canceled_by,
        own.fulfilled_at
    from (
        {{ flow_triggers(event_names) }}
    ) as triggers
    left join {{ ref('int_carts') }} as own
        on own.cart_id = case
            when triggers.object_type = 'cart' then triggers.object_id
            else {{ json_text('triggers.properties', ['cart_id']) }}
        end
    left join (
        select pos_order_id, min(cart_id) as cart_id
        from {{ ref('int_carts') }}
        where pos_order_id in (select object_id from {{ ref('int_flow_triggers') }})
        group by pos_order_id
    ) as taken_over
        on triggers.object_type = 'order' and triggers.object_id = taken_over.pos_order_id
    left join {{ ref('int_store_names') }} as stores on triggers.store_id = stores.store_id
    {%- if status is not none %}
    where triggers.status = '{{ status }}'
    {%- endif %}
{%- endmacro %}
