select customer_id
from {{ ref('customer_traits') }}
where cashback_balance > 0
    and {{ in_next('cashback_expires_at', 1, 'month') }}
