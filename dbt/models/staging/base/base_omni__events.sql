{#- Two routes bring the same events: Shopify Flow's HTTP action (the receiver) and Klaviyo's Events API (a pull).
    Each is read into the same columns; from there on there is one way to judge an event, and one event of two
    messages. -#}
with

flow_landed as (

    {{ landed('omni', ['events']) }}

),

klaviyo_landed as (

    {{ landed('omni', ['klaviyo_events']) }}

),

flow_judged as (

    {{ judged('flow_landed', seeds=['omni_events'], stream='events') }}

),

flow_records as (

    select
        flow_judged.*,
        {{ json_record('payload', {
            'event': 'VARCHAR', 'event_id': 'VARCHAR', 'occurred_at': 'VARCHAR', 'customer': 'JSON',
            'properties': 'JSON', 'profile': 'JSON'
        }) }} as record
    from flow_judged

),

klaviyo_judged as (

    {{ judged('klaviyo_landed', seeds=['omni_events'], stream='klaviyo_events') }}

),

klaviyo_records as (

    select
        klaviyo_judged.*,
        {{ json_record('payload', {'event': 'JSON', 'metric': 'JSON', 'profile': 'JSON'}) }} as record
    from klaviyo_judged

),

klaviyo_parts as (

    select
        klaviyo_records.*,
        cast({{ json_field('record', 'event') }} as varchar) as event,
        cast({{ json_field('record', 'metric') }} as varchar) as metric,
        cast({{ json_field('record', 'profile') }} as varchar) as klaviyo_profile
    from klaviyo_records

),

told as (

    select
        seq,
        row_no,
        source_key,
        received_at,
        landed_stream,
        problem,
        payload,
        'shopify_flow' as route,
        {{ json_field('record', 'event_id') }} as route_event_id,
        {{ json_field('record', 'event') }} as omni_event,
        {{ json_field('record', 'occurred_at') }} as occurred_at,
        {{ json_text(json_field('record', 'customer'), ['id']) }} as shopify_customer_id,
        {{ json_text(json_field('record', 'customer'), ['email']) }} as email,
        {{ json_text(json_field('record', 'customer'), ['phone']) }} as phone,
        cast({{ json_field('record', 'properties') }} as varchar) as properties,
        cast({{ json_field('record', 'profile') }} as varchar) as profile
    from flow_records

    union all

    select
        seq,
        row_no,
        source_key,
        received_at,
        landed_stream,
        problem,
        payload,
        'klaviyo' as route,
        {{ json_text('event', ['id']) }} as route_event_id,
        {{ json_text('metric', ['attributes', 'name']) }} as omni_event,
        {{ json_text('event', ['attributes', 'datetime']) }} as occurred_at,
        -- a Klaviyo profile does not carry Shopify's id; of OMNI's events a merge names it
        {{ json_text('event', ['attributes', 'event_properties', 'destination_customer_id']) }} as shopify_customer_id,
        {{ json_text('klaviyo_profile', ['attributes', 'email']) }} as email,
        {{ json_text('klaviyo_profile', ['attributes', 'phone_number']) }} as phone,
        {{ json_text('event', ['attributes', 'event_properties']) }} as properties,
        {{ json_text('klaviyo_profile', ['attributes', 'properties']) }} as profile
    from klaviyo_parts

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        route,
        route_event_id,
        {{ shopify_id('shopify_customer_id') }} as shopify_customer_id,
        case when lower(trim(omni_event)) = 'wv/customer/merged'
            then {{ shopify_id(json_text('properties', ['source_customer_id'])) }} end as merged_shopify_customer_id,

        ---------- strings
        lower(trim(omni_event)) as omni_event,
        {{ clean_email('email') }} as email,
        {{ clean_phone('phone') }} as phone,
        nullif(lower(trim({{ json_text('properties', ['source']) }})), '') as reason,
        nullif(trim({{ json_text('properties', ['reward_type']) }}), '') as reward_type,
        nullif(trim({{ json_text('properties', ['discount_code']) }}), '') as discount_code,
        nullif(trim({{ json_text('properties', ['new_tier']) }}), '') as new_tier,
        -- the name without a language first, then English: a shop need not have all of them
        coalesce(
            nullif({{ json_text('profile', ['wv_member_tier_name']) }}, ''),
            nullif({{ json_text('profile', ['wv_member_tier_name_en']) }}, ''),
            nullif({{ json_text('profile', ['wv_member_tier_name_zh-tw']) }}, ''),
            nullif({{ json_text('profile', ['wv_member_tier_name_zh-cn']) }}, ''),
            nullif({{ json_text('profile', ['wv_member_tier']) }}, '')
        ) as tier,
        nullif({{ json_text('profile', ['wv_member_status']) }}, '') as member_status,
        properties,

        ---------- numerics
        {{ json_text_as('properties', ['value'], 'decimal(18, 2)') }} as points,
        {{ json_text_as('profile', ['wv_point_balance'], 'decimal(18, 2)') }} as points_balance,
        coalesce(
            {{ month_of(json_text('profile', ['wv_birth_month'])) }},
            {{ month_of(json_text('properties', ['birth_month'])) }}
        ) as birth_month,

        ---------- timestamps
        {{ utc_timestamp(json_text('properties', ['expired_at'])) }} as expires_at,
        {{ utc_timestamp(json_text('profile', ['wv_member_tier_expired_at'])) }} as tier_expires_at,
        -- Klaviyo cuts to the second, so both routes are
        date_trunc('second', {{ utc_timestamp('occurred_at') }}) as occurred_at,
        {% for field, property in {
            'points_balance': 'wv_point_balance_updated_at', 'tier': 'wv_member_tier_updated_at',
            'member_status': 'wv_member_status_updated_at', 'birth_month': 'wv_birth_month_updated_at'
        }.items() -%}
        -- a day alone orders nothing within it
        case when length({{ json_text('profile', [property]) }}) > 10
            then {{ utc_timestamp(json_text('profile', [property])) }} end as {{ field }}_updated_at,
        {% endfor -%}
        received_at,

        landed_stream,
        problem,
        payload
    from told

),

keyed as (

    select
        parsed.*,
        -- what both routes say alike; the profile is left out, which is that of the reading and not of the event
        md5(concat_ws(
            '|',
            omni_event,
            cast(occurred_at as varchar),
            coalesce(email, phone, shopify_customer_id),
            coalesce(cast(points as varchar), ''),
            coalesce(reason, ''),
            coalesce(lower(reward_type), ''),
            coalesce(discount_code, ''),
            coalesce(cast(expires_at as varchar), ''),
            coalesce(lower(new_tier), '')
        )) as happening_key
    from parsed

)

{{ disposed_by_happening('keyed') }}
