select *
from {{ ref('base_flowhub__customers') }}
where disposition = 'loaded'
