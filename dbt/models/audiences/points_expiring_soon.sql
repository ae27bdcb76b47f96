select customer_id
from {{ ref('customer_traits') }}
where points_balance > 0
    and {{ in_next('points_expire_at', var('points_expiring_days'), 'days') }}
