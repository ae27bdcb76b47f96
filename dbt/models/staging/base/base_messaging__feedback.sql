with

landed as (

    {{ landed('messaging', ['feedback']) }}

),

records as (

    select
        landed.*,
        {{ json_record('payload', {
            'event_id': 'VARCHAR', 'type': 'VARCHAR', 'occurred_at': 'VARCHAR', 'channel': 'VARCHAR',
            'address': 'VARCHAR', 'enrollment_id': 'VARCHAR'
        }) }} as record
    from landed

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'enrollment_id') }} as enrollment_id,

        ---------- strings
        lower({{ json_field('record', 'type') }}) as feedback_type,
        lower({{ json_field('record', 'channel') }}) as channel,
        case lower({{ json_field('record', 'channel') }})
            when 'sms' then {{ clean_phone(json_field('record', 'address')) }}
            when 'email' then {{ clean_email(json_field('record', 'address')) }}
        end as address,

        ---------- timestamps
        {{ utc_timestamp(json_field('record', 'occurred_at')) }} as occurred_at,
        received_at,

        payload
    from records

),

judged as (

    select
        parsed.*,
        {{ first_problem([
            ('type is missing', 'feedback_type is null'),
            ('occurred_at is missing or not a time: send RFC 3339', 'occurred_at is null'),
            ('address is missing, or not one of its channel (sms, email)',
                "feedback_type in ('stop', 'unsubscribed', 'bounced', 'complained') and address is null"),
        ]) }} as problem
    from parsed

)

{{ disposed('judged') }}
