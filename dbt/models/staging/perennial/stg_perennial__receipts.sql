select *
from {{ ref('base_perennial__receipts') }}
where disposition = 'loaded' and landed_stream = 'perennial/receipts'
