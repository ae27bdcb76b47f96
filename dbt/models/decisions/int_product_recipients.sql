{#- Whom a product's news is for. Nobody is on such an event: it is for those who looked at the product or had it in a
    cart within 30 days before, or bought it within 180, and who use the store. A new product has nobody yet: it is for
    those who care for its brand, or its category where it has none. Medical products are for patients only. All that is
    news for a person in this moment goes into one message. -#}
with

triggers as (

    select
        *,
        {{ json_text('properties', ['product_id']) }} as told_product_id
    from {{ ref('int_flow_triggers') }}
    where event_name in ('back_in_stock', 'price_drop', 'new_product_added', 'low_inventory')
        -- what is counted once more was decided: who cares for a product now is not who cared then
        and is_recounted is not true

),

identifiers as (

    select identifier_value, min(product_id) as product_id
    from {{ ref('product_identifiers') }}
    where identifier_value in (select triggers.told_product_id from triggers)
    group by identifier_value

),

occurrences as (

    select
        triggers.*,
        case
            when triggers.object_type = 'product' then triggers.object_id
            else identifiers.product_id
        end as product_id,
        coalesce(
            {{ json_text('triggers.properties', ['since']) }}, cast(triggers.occurred_at as varchar)
        ) as since
    from triggers
    left join identifiers on triggers.told_product_id = identifiers.identifier_value

),

products as (

    select * from {{ ref('dim_products') }}

),

levels as (

    select
        product_id,
        store_id,
        cast(sum(available) as decimal(18, 4)) as available,
        min(price) as price,
        min(lower(purchase_category)) = 'med' and max(lower(purchase_category)) = 'med' as is_medical
    from {{ ref('fct_inventory_levels') }}
    where product_id in (select occurrences.product_id from occurrences)
    group by product_id, store_id

),

news as (

    select
        occurrences.*,
        coalesce(products.product_name, {{ json_text('occurrences.properties', ['product_name']) }}) as product_name,
        coalesce(products.brand, {{ json_text('occurrences.properties', ['brand']) }}) as brand,
        coalesce(products.category, {{ json_text('occurrences.properties', ['category']) }}) as category,
        coalesce(products.variant, {{ json_text('occurrences.properties', ['variant']) }}) as variant,
        products.picture_url,
        cast(
            {{ json_text_as('occurrences.properties', ['price'], 'decimal(18, 2)') }} as decimal(18, 2)
        ) as price,
        coalesce(
            {{ json_text('occurrences.properties', ['old_price']) }},
            {{ json_text('occurrences.properties', ['previous_price']) }}
        ) as old_price,
        levels.available,
        levels.price as price_now,
        coalesce(levels.is_medical, false) as is_medical,
        stores.store_name
    from occurrences
    left join products on occurrences.product_id = products.product_id
    left join levels on occurrences.product_id = levels.product_id and occurrences.store_id = levels.store_id
    left join {{ ref('int_store_names') }} as stores on occurrences.store_id = stores.store_id

),

alike as (

    {#- what somebody must have cared for to care for the news: the product itself, or what a new one is like -#}
    select trigger_event_id, product_id
    from news
    where event_name <> 'new_product_added'

    union all

    select news.trigger_event_id, products.product_id
    from news
    inner join products
        on news.product_id <> products.product_id
            and (news.brand = products.brand or (news.brand is null and news.category = products.category))
    where news.event_name = 'new_product_added'

),

refs as (

    {#- each product under all that it is called by now -#}
    select trigger_event_id, product_id as product_ref from alike

    union

    select alike.trigger_event_id, 'id:' || identifiers.identifier_value
    from alike
    inner join {{ ref('product_identifiers') }} as identifiers on alike.product_id = identifiers.product_id

),

interest as (

    select
        refs.trigger_event_id,
        map.customer_id,
        interest.node,
        interest.record_key,
        greatest(interest.last_viewed_at, interest.last_carted_at, interest.last_bought_at) as shown_at
    from refs
    inner join news on refs.trigger_event_id = news.trigger_event_id
    inner join {{ ref('int_product_interest') }} as interest on refs.product_ref = interest.product_ref
    inner join {{ ref('int_identity__map') }} as map on interest.record_key = map.record_key
    -- a device is nobody yet
    inner join {{ ref('dim_customers') }} as people on map.customer_id = people.customer_id
    where (people.programme = 'med' or not news.is_medical)
        and (
            greatest(interest.last_viewed_at, interest.last_carted_at) >= news.occurred_at - interval '30 days'
            or interest.last_bought_at >= news.occurred_at - interval '180 days'
        )

),

used_stores as (

    select distinct
        map.customer_id,
        coalesce(stores.store_id, interest.store_id) as store_id
    from {{ ref('int_product_interest') }} as interest
    inner join {{ ref('int_identity__map') }} as map on interest.record_key = map.record_key
    left join {{ ref('int_jane_stores') }} as stores on interest.store_id = stores.jane_store_id
    where map.customer_id in (select interest.customer_id from interest)

),

recipients as (

    {#- of several records of hers the one that cared last stands for her -#}
    select
        interest.*,
        row_number() over (
            partition by interest.trigger_event_id, interest.customer_id order by interest.shown_at desc, interest.node
        ) as place
    from interest

),

addressed as (

    select
        news.*,
        recipients.customer_id,
        recipients.node as her_node,
        recipients.record_key as her_record_key
    from recipients
    inner join news on recipients.trigger_event_id = news.trigger_event_id
    left join used_stores
        on recipients.customer_id = used_stores.customer_id and news.store_id = used_stores.store_id
    where recipients.place = 1
        and (news.store_id is null or used_stores.customer_id is not null)

),

bundles as (

    select
        event_name,
        customer_id,
        cast(count(*) as integer) as product_count,
        '[' || string_agg({{ json_object({
            'product_id': 'product_id', 'product_name': 'product_name', 'brand': 'brand', 'category': 'category',
            'variant': 'variant', 'price': 'price', 'old_price': 'old_price', 'picture_url': 'picture_url',
            'store_name': 'store_name',
        }) }}, ',' order by occurred_at, trigger_event_id) || ']' as products
    from addressed
    group by event_name, customer_id

)

select
    addressed.trigger_event_id,
    addressed.event_name,
    addressed.occurred_at,
    addressed.her_node as node,
    addressed.her_record_key as record_key,
    addressed.entered_customer_id,
    'product' as object_type,
    addressed.product_id as object_id,
    addressed.is_first_seen,
    addressed.customer_id,
    addressed.product_id,
    addressed.store_id,
    addressed.since,
    addressed.product_name,
    addressed.brand,
    addressed.category,
    addressed.store_name,
    addressed.price,
    addressed.old_price,
    addressed.available,
    addressed.price_now,
    bundles.product_count,
    bundles.products
from addressed
inner join bundles on addressed.event_name = bundles.event_name and addressed.customer_id = bundles.customer_id
