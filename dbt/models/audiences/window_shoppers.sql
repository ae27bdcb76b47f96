select customer_id
from {{ ref('customer_traits') }}
where product_views_30d > 0
    and lifecycle_stage in ('prospect', 'lapsed')
