select *
from {{ ref('base_jane__carts') }}
where disposition = 'loaded'
