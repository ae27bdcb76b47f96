with

landed as (

    {{ landed('perennial', ['order_receipts']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'receipt_no': 'BIGINT', 'enrollment_id': 'VARCHAR', 'destination': 'VARCHAR', 'status': 'VARCHAR',
            'attempts': 'INTEGER', 'accepted_at': 'VARCHAR', 'error': 'VARCHAR', 'at': 'VARCHAR',
            'cart_id': 'VARCHAR', 'reference': 'VARCHAR'
        }) }} as record
    from judged

),

parsed as (

    select
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'receipt_no', 'bigint') }} as receipt_no,
        {{ json_field('record', 'enrollment_id') }} as push_id,
        {{ json_field('record', 'cart_id') }} as cart_id,
        {{ json_field('record', 'reference') }} as pos_order_id,
        {{ json_field('record', 'destination') }} as destination,
        {{ json_field('record', 'status') }} as status,
        {{ json_field('record', 'attempts', 'integer') }} as attempts,
        {{ json_field('record', 'error') }} as error,
        {{ utc_timestamp(json_field('record', 'accepted_at')) }} as accepted_at,
        {{ utc_timestamp(json_field('record', 'at')) }} as occurred_at,
        received_at,
        landed_stream,
        problem,
        payload
    from records

)

{{ disposed('parsed') }}
