select *
from {{ ref('base_flowhub__locations') }}
where disposition = 'loaded'
