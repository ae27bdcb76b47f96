{{ config(materialized='incremental', incremental_strategy='append') }}

{%- set streams = {
    'base_flowhub__locations': 'flowhub/locations', 'base_flowhub__customers': 'flowhub/customers',
    'base_flowhub__orders': 'flowhub/orders', 'base_flowhub__inventory': 'flowhub/inventory',
    'base_flowhub__pulls': 'flowhub/pulls',
    'base_jane__carts': 'jane/carts', 'base_omni__events': 'omni/events', 'base_shopify__webhooks': 'shopify/webhooks',
    'base_partners__events': 'partners/events', 'base_messaging__feedback': 'messaging/feedback',
    'base_perennial__receipts': 'perennial/receipts', 'base_perennial__erasures': 'perennial/erasures',
    'base_perennial__order_receipts': 'perennial/order_receipts',
    'base_perennial__operations': 'perennial/operations'
} %}
{%- for model_name, stream in streams.items() %}
select
    '{{ stream }}' as stream,
    seq,
    row_no,
    source_key,
    problem as reason,
    received_at,
    rejected_payload as payload
from {{ ref(model_name) }}
where disposition = 'quarantined' and {{ is_news() }}
{{ 'union all' if not loop.last }}
{%- endfor %}
