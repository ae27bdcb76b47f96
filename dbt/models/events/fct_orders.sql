select
    orders.order_id,
    orders.channel,
    orders.store_id,
    people.customer_id,
    orders.status,
    orders.created_at,
    orders.completed_at,
    orders.subtotal,
    orders.discount,
    orders.tax,
    orders.delivery_fee,
    orders.total
from {{ ref('int_orders') }} as orders
left join {{ ref('int_identity__map') }} as map on orders.record_key = map.record_key
-- a device or a cart is nobody yet
left join {{ ref('dim_customers') }} as people on map.customer_id = people.customer_id
where {{ is_counted_order('orders') }}
