{#- What partners sent, with the object that the taxonomy gives the event; a custom event is about whatever it names.
    -#}
with

events as (

    select
        partner_events.*,
        types.event_name is not null as is_known,
        types.object,
        {{ json_record('properties', {
            'cart_id': 'VARCHAR', 'order_id': 'VARCHAR', 'auto_order_id': 'VARCHAR', 'store_id': 'VARCHAR',
            'status': 'VARCHAR', 'tier': 'VARCHAR', 'reward_type': 'VARCHAR', 'reason': 'VARCHAR',
            'amount': 'VARCHAR', 'balance': 'VARCHAR'
        }) }} as record
    from {{ ref('stg_partners__events') }} as partner_events
    left join {{ ref('event_types') }} as types on partner_events.event_name = types.event_name

),

named as (

    select
        events.*,
        nullif({{ json_field('record', 'cart_id') }}, '') as cart_id,
        coalesce(
            nullif({{ json_field('record', 'order_id') }}, ''),
            -- a standing order is an order of its own kind, and its id must not be mistaken for one of another
            'auto-' || nullif({{ json_field('record', 'auto_order_id') }}, '')
        ) as order_id,
        coalesce({{ json_field('record', 'amount') }}, {{ json_field('record', 'balance') }}) as amount_text
    from events

),

about as (

    select
        named.*,
        case
            when order_id is not null and (object = 'order' or not is_known) then 'order'
            when cart_id is not null and (object = 'cart' or not is_known) then 'cart'
        end as object_type
    from named

)

select
    {{ event_id(["'partners'", 'source_key']) }} as event_id,
    event_name,
    partner as source,
    occurred_at,
    received_at,
    seq,
    row_no,
    {{ partner_node() }} as node,
    nullif({{ json_field('record', 'store_id') }}, '') as store_id,
    object_type,
    case object_type when 'order' then order_id when 'cart' then cart_id end as object_id,
    {{ json_field('record', 'status') }} as status,
    {{ json_field('record', 'tier') }} as tier,
    {{ json_field('record', 'reward_type') }} as reward_type,
    {{ json_field('record', 'reason') }} as reason,
    cast({{ text_as('amount_text', 'decimal(18, 2)') }} as decimal(18, 2)) as amount,
    properties
from about
