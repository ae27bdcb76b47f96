select *
from {{ ref('base_perennial__order_receipts') }}
where disposition = 'loaded'
