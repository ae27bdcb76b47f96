with

landed as (

    {{ landed('partners', ['events']) }}

),

records as (

    select
        landed.*,
        {{ json_text('headers', ['partner']) }} as partner,
        {{ json_record('payload', {
            'event_id': 'VARCHAR', 'event_name': 'VARCHAR', 'occurred_at': 'VARCHAR', 'customer': 'JSON',
            'properties': 'JSON'
        }) }} as record
    from landed

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
        {{ json_field('record', 'event_name') }} as event_name,
        {{ clean_email(json_text('customer', ['email'])) }} as email,
        {{ clean_phone(json_text('customer', ['phone'])) }} as phone,
        coalesce(properties, '{}') as properties,

        ---------- timestamps
        {{ utc_timestamp(json_field('record', 'occurred_at')) }} as occurred_at,
        received_at,

        payload
    from fields

),

judged as (

    select
        parsed.*,
        {{ first_problem([
            ('event_name is missing or not of the form [a-z0-9_]+',
                "event_name is null or not regexp_matches(event_name, '^[a-z0-9_]+$')"
                if target.type == 'duckdb' else "event_name is null or event_name !~ '^[a-z0-9_]+$'"),
            ('occurred_at is missing or not a time: send RFC 3339', 'occurred_at is null'),
        ]) }} as problem
    from parsed

)

{{ disposed('judged') }}
