{#- The base models: each judges the rows of its streams, loads, refuses or recognises them. -#}
{% macro judging_models() -%}
    {{ return([
        'base_flowhub__locations', 'base_flowhub__customers', 'base_flowhub__orders', 'base_flowhub__inventory',
        'base_flowhub__pulls', 'base_jane__carts', 'base_omni__events', 'base_shopify__webhooks', 'base_partners__events',
        'base_messaging__feedback', 'base_perennial__receipts', 'base_perennial__operations', 'base_perennial__erasures',
        'base_perennial__order_receipts',
    ]) }}
{%- endmacro %}
