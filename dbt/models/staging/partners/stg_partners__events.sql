select *
from {{ ref('base_partners__events') }}
where disposition = 'loaded'
