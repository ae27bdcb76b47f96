-- Returns rows when an order that the point of sale completed does not cost its subtotal, less discount, plus tax and
-- fees.
select
    order_id,
    total
from {{ ref('fct_orders') }}
where status = 'completed'
    and abs(total - (subtotal - coalesce(discount, 0) + coalesce(tax, 0) + coalesce(delivery_fee, 0))) > 0.01
