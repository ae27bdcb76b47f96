select *
from {{ ref('base_flowhub__pulls') }}
where disposition = 'loaded'
