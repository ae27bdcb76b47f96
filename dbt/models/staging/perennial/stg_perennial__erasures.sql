select *
from {{ ref('base_perennial__erasures') }}
where disposition = 'loaded'
