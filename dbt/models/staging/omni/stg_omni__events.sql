select *
from {{ ref('base_omni__events') }}
where disposition = 'loaded'
