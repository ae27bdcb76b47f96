select
    order_id,
    line_no,
    cart_id,
    pos_order_id,
    store_id,
    channel,
    product_id,
    product_name,
    quantity,
    hold_state,
    released_by,
    held_at,
    accepted_at,
    released_at
from {{ ref('int_order_holds') }}
