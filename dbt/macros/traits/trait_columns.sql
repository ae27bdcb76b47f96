{#- The traits of a person that are kept, in their order. -#}
{% macro trait_columns() -%}
    {{ return([
        'email_consent', 'sms_consent',
        'orders_count', 'orders_365d', 'refunds_365d', 'first_order_at', 'last_order_at', 'lifetime_value',
        'spend_365d', 'average_order_value', 'recency_score', 'frequency_score', 'monetary_score', 'lifecycle_stage',
        'favourite_category', 'favourite_brand', 'favourite_store_id', 'favourite_store_orders',
        'points_balance', 'points_expire_at', 'cashback_balance', 'cashback_expires_at', 'tier', 'tier_expires_at',
        'member_status', 'birth_month',
        'engagement_score', 'cart_intent_score', 'cart_removals_7d', 'product_views_30d', 'carts_abandoned_7d',
        'is_active_on_site',
        'assigned_budtender', 'last_budtender', 'auto_orders_active', 'pricing_tiers', 'store_credit', 'tags',
        'properties', 'atdata',
    ]) }}
{%- endmacro %}
