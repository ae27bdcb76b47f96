with

landed as (

    {{ landed('perennial', ['operations']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'operation': 'VARCHAR', 'subject': 'JSON', 'at': 'VARCHAR', 'by': 'VARCHAR'
        }) }} as record
    from judged

),

parsed as (

    select
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'operation') }} as operation,
        {{ json_text('cast(' ~ json_field('record', 'subject') ~ ' as varchar)', ['cart_id']) }} as cart_id,
        cast({{ json_field('record', 'subject') }} as varchar) as subject,
        {{ json_field('record', 'by') }} as operated_by,
        {{ utc_timestamp(json_field('record', 'at')) }} as occurred_at,
        received_at,
        landed_stream,
        problem,
        payload
    from records

)

{{ disposed('parsed') }}
