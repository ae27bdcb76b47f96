{#- Every row of every source that shows a person, a device or a cart, with the record that it is evidence about
    (`node`) and the identifiers it carries, in one form. -#}
with

flowhub_customers as (

    select * from {{ ref('stg_flowhub__customers') }}

),

flowhub_orders as (

    select * from {{ ref('stg_flowhub__orders') }}

),

jane_carts as (

    select * from {{ ref('stg_jane__carts') }}

),

omni_events as (

    select * from {{ ref('stg_omni__events') }}

),

shopify_webhooks as (

    select * from {{ ref('stg_shopify__webhooks') }}

),

partner_events as (

    select * from {{ ref('stg_partners__events') }}

),

message_addresses as (

    select * from {{ ref('int_identity__message_addresses') }}

),

observations as (

    select
        seq, row_no, received_at as seen_at,
        'flowhub' as source,
        {{ node_of('flowhub_customer', 'flowhub_customer_id') }} as node,
        true as is_snapshot,
        full_name, birth_date, programme, is_loyal, customer_groups, street_address, city, postal_code, state, country,
        email, phone,
        flowhub_customer_id,
        cast(null as varchar) as jane_external_user_id,
        cast(null as varchar) as jane_cart,
        cast(null as varchar) as pos_order_id,
        cast(null as varchar) as shopify_merge,
        cast(null as varchar) as device_id,
        medical_id
    from flowhub_customers

    union all

    -- an online order ties its customer to the Jane cart that it came from
    select
        seq, row_no, received_at,
        'flowhub',
        {{ node_of('flowhub_customer', 'flowhub_customer_id') }},
        false,
        null, null, null, null, null, null, null, null, null, null,
        null, null,
        flowhub_customer_id, null, null, order_id, null, null,
        null
    from flowhub_orders
    where flowhub_customer_id is not null
        and order_type <> 'walk-in'
        and is_first_version

    union all

    select
        seq, row_no, received_at,
        'jane',
        {{ jane_node() }},
        false,
        full_name, {{ text_as('customer_birth_date', 'date') }}, null, null, null, null, null, null, null, null,
        email, phone,
        null, external_user_id, cart_id, pos_order_id, null, null,
        {{ clean_medical_id('medical_id') }}
    from jane_carts

    union all

    -- an order that Perennial put into the till ties its cart to the till's customer
    select
        seq, row_no, received_at,
        'jane',
        {{ node_of('jane_cart', 'cart_id') }},
        false,
        null, null, null, null, null, null, null, null, null, null,
        null, null,
        null, null, cart_id, pos_order_id, null, null,
        null
    from {{ ref('stg_perennial__order_receipts') }}
    where status = 'accepted' and pos_order_id is not null

    union all

    select
        seq, row_no, received_at,
        'omni',
        {{ omni_node() }},
        false,
        null, null, null, null, null, null, null, null, null, null,
        email, phone,
        null, null, null, null,
        case when merged_shopify_customer_id is not null then shopify_customer_id end,
        null, null
    from omni_events

    union all

    -- OMNI tells of a merge as Shopify does: whom it merged away lives on in the one that was kept
    select
        seq, row_no, received_at,
        'omni',
        {{ node_of('shopify_customer', 'merged_shopify_customer_id') }},
        false,
        null, null, null, null, null, null, null, null, null, null,
        null, null,
        null, null, null, null, shopify_customer_id, null,
        null
    from omni_events
    where merged_shopify_customer_id is not null
        and shopify_customer_id is not null

    union all

    select
        seq, row_no, received_at,
        'shopify',
        {{ node_of('shopify_customer', 'shopify_customer_id') }},
        topic in ('customers/create', 'customers/update'),
        full_name, null, null, null, null, null, null, null, null, null,
        email, phone,
        null, null, null, null,
        case when topic = 'customers/merge' then shopify_customer_id end,
        null, null
    from shopify_webhooks
    where topic like 'customers%'
        and coalesce(merge_status, '') <> 'failed'

    union all

    -- the customer that a merge removed lives on in the one that it kept
    select
        seq, row_no, received_at,
        'shopify',
        {{ node_of('shopify_customer', 'deleted_shopify_customer_id') }},
        false,
        null, null, null, null, null, null, null, null, null, null,
        null, null,
        null, null, null, null, shopify_customer_id, null,
        null
    from shopify_webhooks
    where topic = 'customers/merge'
        and coalesce(merge_status, '') <> 'failed'

    union all

    select
        seq, row_no, received_at,
        'partners',
        {{ partner_node() }},
        false,
        null, null, null, null, null, null, null, null, null, null,
        email, phone,
        partner_customer_id, null, null, null, null, device_id,
        null
    from partner_events
    where coalesce(partner_customer_id, email, phone, device_id) is not null

    union all

    -- that something was written to an address makes nobody of it, but ties the reports to whoever shows it
    select
        seq, row_no, seen_at,
        'messaging',
        node,
        false,
        null, null, null, null, null, null, null, null, null, null,
        email, phone,
        null, null, null, null, null, null,
        null
    from message_addresses

)

select * from observations
