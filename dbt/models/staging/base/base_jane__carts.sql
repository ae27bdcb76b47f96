with

landed as (

    {{ landed('jane', ['cart_status', 'cart_abandoned']) }}

),

judged as (

    {{ judged('landed', seeds=['jane_statuses']) }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {'cart': {
            'id': 'VARCHAR', 'uuid': 'VARCHAR', 'status': 'VARCHAR', 'amount': 'DECIMAL(18,4)',
            'created_at': 'VARCHAR', 'checked_out_time': 'VARCHAR', 'updated_at': 'VARCHAR',
            'customer_name': 'VARCHAR', 'customer_email_address': 'VARCHAR', 'customer_phone_number': 'VARCHAR',
            'user_id': 'VARCHAR', 'external_user_id': 'VARCHAR', 'store_id': 'VARCHAR', 'store_name': 'VARCHAR',
            'reservation_mode': 'VARCHAR', 'pos_order_id': 'VARCHAR', 'products': 'JSON',
            'reservation_start_window': 'VARCHAR', 'checkout_message': 'VARCHAR', 'delivery_notes': 'VARCHAR',
            'promo_code': 'VARCHAR', 'delivery_fee': 'DECIMAL(18,4)', 'delivery_address': 'JSON',
            'customer_birth_date': 'VARCHAR', 'customer_medical_id': 'VARCHAR'
        }}) }} as body
    from judged

),

carts as (

    select
        records.*,
        {{ "body.cart" if target.type == 'duckdb' else "(body -> 'cart')" }} as record,
        {{ json_text('headers', ['X-Jane-Request-Timestamp']) }} as request_timestamp,
        coalesce({{ json_text('headers', ['stale']) }} = 'true', false) as is_stale
    from records

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'id') }} as cart_id,
        nullif({{ json_field('record', 'user_id') }}, '') as jane_user_id,
        nullif({{ json_field('record', 'external_user_id') }}, '') as external_user_id,
        {{ json_field('record', 'store_id') }} as jane_store_id,
        nullif({{ json_field('record', 'pos_order_id') }}, '') as pos_order_id,

        ---------- strings
        stream as webhook,
        lower(trim({{ json_field('record', 'status') }})) as jane_status,
        {{ json_field('record', 'store_name') }} as store_name,
        {{ json_field('record', 'reservation_mode') }} as reservation_mode,
        nullif(trim({{ json_field('record', 'customer_name') }}), '') as full_name,
        {{ clean_email(json_field('record', 'customer_email_address')) }} as email,
        {{ clean_phone(json_field('record', 'customer_phone_number')) }} as phone,
        cast({{ json_field('record', 'products') }} as varchar) as products,
        nullif(trim({{ json_field('record', 'customer_medical_id') }}), '') as medical_id,
        coalesce(
            nullif(trim({{ json_field('record', 'delivery_notes') }}), ''),
            nullif(trim({{ json_field('record', 'checkout_message') }}), '')
        ) as order_note,
        nullif(trim({{ json_field('record', 'promo_code') }}), '') as promo_code,
        cast({{ json_field('record', 'delivery_address') }} as varchar) as delivery_address,
        nullif(trim({{ json_field('record', 'customer_birth_date') }}), '') as customer_birth_date,

        ---------- numerics
        cast({{ json_field('record', 'amount', 'decimal(18, 4)') }} as decimal(18, 2)) as amount,
        cast({{ json_field('record', 'delivery_fee', 'decimal(18, 4)') }} as decimal(18, 2)) as delivery_fee,

        ---------- booleans
        is_stale,

        ---------- timestamps; Jane's times carry no zone
        {{ utc_timestamp(json_field('record', 'created_at'), var('jane_time_zone')) }} as created_at,
        {{ utc_timestamp(json_field('record', 'checked_out_time'), var('jane_time_zone')) }} as checked_out_at,
        {{ utc_timestamp(json_field('record', 'reservation_start_window'), var('jane_time_zone')) }} as requested_at,
        -- the signed timestamp is the instant of the change: unix seconds, or ISO 8601
        coalesce({{ epoch_timestamp('request_timestamp') }}, {{ utc_timestamp('request_timestamp') }}) as occurred_at,
        received_at,

        landed_stream,
        problem,
        payload
    from carts

)

{{ disposed('parsed') }}
