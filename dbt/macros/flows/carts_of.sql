{#- The occurrences of what is done with carts, each with its cart as it stands. What a partner says of a cart that nobody
    else knows is told by the event alone. -#}
{% macro carts_of(event_names) -%}
    select
        triggers.*,
        coalesce(carts.cart_id, triggers.object_id) as cart_id,
        coalesce(carts.amount, triggers.amount) as cart_amount,
        coalesce(carts.store_name, stores.store_name) as store_name,
        carts.reservation_mode,
        coalesce(carts.products, {{ json_text('triggers.properties', ['lines']) }}) as products,
        carts.created_at as cart_created_at,
        -- ordered, whatever became of the order
        carts.ordered_at is not null or coalesce(carts.status_rank, 0) >= 20 as is_ordered
    from (
        {{ flow_triggers(event_names) }}
    ) as triggers
    left join {{ ref('int_carts') }} as carts on triggers.object_type = 'cart' and triggers.object_id = carts.cart_id
    left join {{ ref('int_store_names') }} as stores on triggers.store_id = stores.store_id
{%- endmacro %}
