select *
from {{ ref('base_shopify__webhooks') }}
where disposition = 'loaded'
