with

landed as (

    {{ landed('omni', ['events']) }}

),

records as (

    select
        landed.*,
        {{ json_record('payload', {
            'event': 'VARCHAR', 'event_id': 'VARCHAR', 'occurred_at': 'VARCHAR', 'customer': 'JSON',
            'properties': 'JSON', 'profile': 'JSON'
        }) }} as record
    from landed

),

fields as (

    select
        records.*,
        cast({{ json_field('record', 'customer') }} as varchar) as customer,
        cast({{ json_field('record', 'properties') }} as varchar) as properties,
        cast({{ json_field('record', 'profile') }} as varchar) as profile
    from records

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'event_id') }} as omni_event_id,
        {{ json_text('customer', ['id']) }} as shopify_customer_id,

        ---------- strings
        lower({{ json_field('record', 'event') }}) as omni_event,
        {{ clean_email(json_text('customer', ['email'])) }} as email,
        {{ clean_phone(json_text('customer', ['phone'])) }} as phone,
        lower({{ json_text('properties', ['source']) }}) as reason,
        {{ json_text('properties', ['reward_type']) }} as reward_type,
        {{ json_text('profile', ['wv_member_tier_name']) }} as tier,
        {{ json_text('profile', ['wv_member_status']) }} as member_status,
        coalesce(
            {{ json_text('profile', ['wv_birth_month']) }}, {{ json_text('properties', ['birth_month']) }}
        ) as birth_month_text,
        properties,

        ---------- numerics
        {{ json_text_as('properties', ['value'], 'decimal(18, 2)') }} as points,
        {{ json_text_as('profile', ['wv_point_balance'], 'decimal(18, 2)') }} as points_balance,

        ---------- timestamps
        {{ utc_timestamp(json_text('properties', ['expired_at'])) }} as expires_at,
        {{ utc_timestamp(json_text('profile', ['wv_member_tier_expired_at'])) }} as tier_expires_at,
        {{ utc_timestamp(json_field('record', 'occurred_at')) }} as occurred_at,
        received_at,

        payload
    from fields

),

judged as (

    select
        parsed.*,
        {{ first_problem([
            ('event is missing: the template sends the trigger name, such as wv/points/added', 'omni_event is null'),
            ('event is none of the eleven: add it to the seed omni_events',
                'omni_event not in (select omni_event from ' ~ ref('omni_events') ~ ')'),
            ('event_id is missing: the template sends one with every event', 'omni_event_id is null'),
            ('occurred_at is missing or not a time: send RFC 3339', 'occurred_at is null'),
            ('customer has neither id, email nor phone', 'coalesce(shopify_customer_id, email, phone) is null'),
        ]) }} as problem
    from parsed

)

{{ disposed('judged') }}
