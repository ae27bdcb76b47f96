select *
from {{ ref('base_perennial__operations') }}
where disposition = 'loaded'
