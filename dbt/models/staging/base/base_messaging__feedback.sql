with

landed as (

    {{ landed('messaging', ['feedback']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'event_id': 'VARCHAR', 'type': 'VARCHAR', 'occurred_at': 'VARCHAR', 'channel': 'VARCHAR',
            'address': 'VARCHAR', 'enrollment_id': 'VARCHAR'
        }) }} as record
    from judged

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'enrollment_id') }} as enrollment_id,

        ---------- strings
        lower(trim({{ json_field('record', 'type') }})) as feedback_type,
        lower(trim({{ json_field('record', 'channel') }})) as channel,
        case lower(trim({{ json_field('record', 'channel') }}))
            when 'sms' then {{ clean_phone(json_field('record', 'address')) }}
            when 'email' then {{ clean_email(json_field('record', 'address')) }}
        end as address,

        ---------- timestamps
        {{ utc_timestamp(json_field('record', 'occurred_at')) }} as occurred_at,
        received_at,

        landed_stream,
        problem,
        payload
    from records

)

{{ disposed('parsed') }}
