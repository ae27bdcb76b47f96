select *
from {{ ref('base_flowhub__inventory') }}
where disposition = 'loaded'
