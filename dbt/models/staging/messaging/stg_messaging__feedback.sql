select *
from {{ ref('base_messaging__feedback') }}
where disposition = 'loaded'
