with

landed as (

    {{ landed('partners', ['events']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_text('headers', ['partner']) }} as partner,
        {{ json_record('payload', {
            'event_id': 'VARCHAR', 'event_name': 'VARCHAR', 'occurred_at': 'VARCHAR', 'customer': 'JSON',
            'properties': 'JSON'
        }) }} as record
    from judged

),

fields as (

    select
        records.*,
        cast({{ json_field('record', 'customer') }} as varchar) as customer,
        cast({{ json_field('record', 'properties') }} as varchar) as properties
    from records

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'event_id') }} as partner_event_id,
        nullif({{ json_text('customer', ['customer_id']) }}, '') as partner_customer_id,
        nullif({{ json_text('customer', ['device_id']) }}, '') as device_id,

        ---------- strings
        partner,
        trim({{ json_field('record', 'event_name') }}) as event_name,
        {{ clean_email(json_text('customer', ['email'])) }} as email,
        {{ clean_phone(json_text('customer', ['phone'])) }} as phone,
        coalesce(properties, '{}') as properties,

        ---------- timestamps
        {{ utc_timestamp(json_field('record', 'occurred_at')) }} as occurred_at,
        received_at,

        landed_stream,
        problem,
        payload
    from fields

)

{{ disposed('parsed') }}
