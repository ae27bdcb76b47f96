{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id',
    post_hook=["{{ drop_merged_customers() }}"],
) }}

{#- The traits as they are, of everybody. Cost follows the news: only who is touched in this moment is computed again,
    and only a trait that is another one by now makes her row news for what follows. -#}
with

customers as (

    select * from {{ ref('dim_customers') }}

),

computed as (

    select
        customers.customer_id,
        customers.email_consent,
        customers.sms_consent,
        coalesce(orders.orders_count, 0) as orders_count,
        coalesce(orders.orders_365d, 0) as orders_365d,
        coalesce(orders.refunds_365d, 0) as refunds_365d,
        orders.first_order_at,
        orders.last_order_at,
        coalesce(orders.lifetime_value, 0) as lifetime_value,
        coalesce(orders.spend_365d, 0) as spend_365d,
        orders.average_order_value,
        orders.recency_score,
        orders.frequency_score,
        orders.monetary_score,
        coalesce(orders.lifecycle_stage, 'prospect') as lifecycle_stage,
        orders.favourite_category,
        orders.favourite_brand,
        orders.favourite_store_id,
        coalesce(orders.favourite_store_orders, 0) as favourite_store_orders,
        loyalty.points_balance,
        loyalty.points_expire_at,
        properties.cashback_balance,
        properties.cashback_expires_at,
        loyalty.tier,
        loyalty.tier_expires_at,
        loyalty.member_status,
        coalesce(customers.birth_month, loyalty.birth_month) as birth_month,
        coalesce(behaviour.engagement_score, 0) as engagement_score,
        coalesce(behaviour.cart_intent_score, 0) as cart_intent_score,
        coalesce(behaviour.cart_removals_7d, 0) as cart_removals_7d,
        coalesce(behaviour.product_views_30d, 0) as product_views_30d,
        coalesce(behaviour.carts_abandoned_7d, 0) as carts_abandoned_7d,
        coalesce(behaviour.is_active_on_site, false) as is_active_on_site,
        properties.assigned_budtender,
        orders.last_budtender,
        properties.auto_orders_active,
        properties.pricing_tiers,
        properties.store_credit,
        properties.tags,
        properties.properties,
        properties.atdata,
        -- the next instant at which a value above changes though nothing arrives
        least(
            orders.next_change_at, loyalty.next_change_at, properties.next_change_at, behaviour.next_change_at
        ) as next_change_at
    from {{ ref('int_traits__touched') }} as touched
    inner join customers on touched.customer_id = customers.customer_id
    left join {{ ref('int_traits__orders') }} as orders on touched.customer_id = orders.customer_id
    left join {{ ref('int_traits__loyalty') }} as loyalty on touched.customer_id = loyalty.customer_id
    left join {{ ref('int_traits__properties') }} as properties on touched.customer_id = properties.customer_id
    left join {{ ref('int_traits__behaviour') }} as behaviour on touched.customer_id = behaviour.customer_id

),

keyed as (

    select
        *,
        md5(
            {%- for trait in trait_columns() %}
            coalesce(cast({{ trait }} as varchar), '') {{ "|| '|' ||" if not loop.last }}
            {%- endfor %}
        ) as traits_key
    from computed

)

select
    keyed.customer_id,
    {%- for trait in trait_columns() %}
    keyed.{{ trait }},
    {%- endfor %}
    keyed.next_change_at,
    keyed.traits_key,
    {%- if is_incremental() %}
    case
        when known.traits_key = keyed.traits_key then known.changed_build_no
        else {{ build_no() }}
    end as changed_build_no
    {%- else %}
    {{ build_no() }} as changed_build_no
    {%- endif %}
from keyed
{%- if is_incremental() %}
left join {{ this }} as known on keyed.customer_id = known.customer_id
{%- endif %}
