{#- What an event of a source also means: each line of a completed order is a purchase, each review that was handed in
    is an item's, each yes to a channel an opting in, a delivery date that a partner tells of an order in passing is known or
    has moved. They follow from the log alone, stand at the place in it of what they are made of, and are derived again by a
    rebuild. No event carries an address. -#}
with

till_orders as (

    select * from {{ ref('stg_flowhub__orders') }}
    where status = 'completed' and previous_status is distinct from 'completed'

),

partner_orders as (

    select
        partner_events.*,
        {{ json_record('properties', {'lines': [{
            'product_id': 'VARCHAR', 'product_name': 'VARCHAR', 'category': 'VARCHAR', 'sku': 'VARCHAR',
            'brand': 'VARCHAR', 'quantity': 'VARCHAR', 'price': 'VARCHAR', 'discount': 'VARCHAR', 'total': 'VARCHAR'
        }]}) }} as record
    from {{ ref('int_events__partners') }} as partner_events
    where event_name = 'order_completed'

),

reviews as (

    {%- for source in ['jane', 'partners'] %}
    select
        event_id, occurred_at, received_at, seq, row_no, node, store_id, object_type, object_id, properties
    from {{ ref('int_events__' ~ source) }}
    where event_name = 'completed_product_review'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

opt_ins as (

    {%- for source in ['flowhub', 'shopify', 'partners'] %}
    select
        event_id, occurred_at, received_at, seq, row_no, node, store_id, status,
        {{ json_text('properties', ['channel']) }} as channel,
        {{ json_text('properties', ['basis']) }} as basis
    from {{ ref('int_events__' ~ source) }}
    where event_name = 'customer_optin_status_changed' and status = 'opted_in'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

{% set told_of_line = ['product_id', 'product_name', 'category', 'sku', 'brand', 'quantity', 'price', 'discount'] -%}
bought as (

    select
        {{ event_id([
            "'flowhub'", 'till_orders.order_id',
            "case when till_orders.is_first_version then '' else cast(till_orders.seq as varchar) end",
        ]) }} as order_event_id,
        till_orders.completed_at as occurred_at,
        till_orders.received_at,
        till_orders.seq,
        till_orders.row_no,
        {{ node_of('flowhub_customer', 'till_orders.flowhub_customer_id') }} as node,
        till_orders.store_id,
        till_orders.order_id,
        elements.element_no as line_no,
        {%- set line = order_line('elements.element') %}
        {%- for name in told_of_line %}
        cast({{ line[name] }} as varchar) as {{ name }},
        {%- endfor %}
        {{ line['total'] }} as total
    from till_orders
    cross join {{ json_elements('till_orders.items') }}
    {{ join_category_mapping(
        'cast(null as varchar)', json_field('elements.element', 'type'), json_field('elements.element', 'category')
    ) }}

    union all

    select
        partner_orders.event_id,
        partner_orders.occurred_at,
        partner_orders.received_at,
        partner_orders.seq,
        partner_orders.row_no,
        partner_orders.node,
        partner_orders.store_id,
        partner_orders.object_id,
        elements.element_no,
        {%- for name in told_of_line %}
        {{ json_field('elements.element', name) }},
        {%- endfor %}
        cast({{ text_as(json_field('elements.element', 'total'), 'decimal(18, 2)') }} as decimal(18, 2))
    from partner_orders
    cross join {{ json_elements(json_field('partner_orders.record', 'lines')) }}

)

select
    {{ event_id(["'perennial'", "'product_purchased'", 'order_event_id', 'cast(line_no as varchar)']) }} as event_id,
    'product_purchased' as event_name,
    'perennial' as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    store_id,
    'order' as object_type,
    order_id as object_id,
    cast(null as varchar) as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    cast(null as varchar) as reason,
    cast(total as decimal(18, 2)) as amount,
    {{ json_object({
        'order_id': 'order_id', 'product_id': 'product_id', 'product_name': 'product_name', 'category': 'category',
        'sku': 'sku', 'brand': 'brand', 'quantity': text_as('quantity', 'decimal(18, 4)'),
        'price': text_as('price', 'decimal(18, 2)'), 'discount': text_as('discount', 'decimal(18, 2)'),
    }) }} as properties
from bought

union all

select
    {{ event_id(["'perennial'", "'item_reviewed'", 'event_id']) }},
    'item_reviewed',
    'perennial',
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    store_id,
    object_type,
    object_id,
    null, null, null, null, null,
    properties
from reviews

union all

select
    {{ event_id(["'perennial'", "'marketing_opted_in'", 'event_id']) }},
    'marketing_opted_in',
    'perennial',
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    store_id,
    null, null,
    status,
    null, null,
    channel,
    null,
    {{ json_object({'channel': 'channel', 'status': 'status', 'basis': 'basis'}) }}
from opt_ins

union all

select
    {{ event_id(["'perennial'", "'delivery_date_changed'", 'event_id']) }},
    'delivery_date_changed',
    'perennial',
    occurred_at,
    received_at,
    seq,
    row_no,
    node,
    store_id,
    'order',
    order_id,
    null, null, null, null, null,
    {{ json_object({
        'order_id': 'order_id', 'delivery_date': 'cast(delivery_on as varchar)',
        'previous_delivery_date': 'cast(previous_delivery_on as varchar)',
    }) }}
from {{ ref('int_delivery_dates') }}
where is_change
