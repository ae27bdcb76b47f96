select *
from {{ ref('base_flowhub__orders') }}
where disposition = 'loaded'
