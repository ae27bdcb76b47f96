with

landed as (

    {{ landed('flowhub', ['pulls']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'pull_id': 'VARCHAR', 'stream': 'VARCHAR', 'location_id': 'VARCHAR', 'started_at': 'VARCHAR',
            'ended_at': 'VARCHAR', 'complete': 'BOOLEAN', 'records': 'BIGINT', 'changed': 'BIGINT',
            'room_ids': 'JSON', 'purchase_categories': 'JSON'
        }) }} as record
    from judged

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'pull_id') }} as pull_id,
        nullif({{ json_field('record', 'location_id') }}, '') as store_id,

        ---------- strings
        {{ json_field('record', 'stream') }} as pulled_stream,
        concat_ws(
            ' ',
            cast({{ json_field('record', 'room_ids') }} as varchar),
            cast({{ json_field('record', 'purchase_categories') }} as varchar)
        ) as stock_filter,

        ---------- numerics
        {{ json_field('record', 'records', 'bigint') }} as records,
        {{ json_field('record', 'changed', 'bigint') }} as changed,

        ---------- booleans
        coalesce({{ json_field('record', 'complete', 'boolean') }}, false) as is_complete,

        ---------- timestamps
        {{ utc_timestamp(json_field('record', 'started_at')) }} as started_at,
        {{ utc_timestamp(json_field('record', 'ended_at')) }} as ended_at,
        received_at,

        landed_stream,
        problem,
        original_seq,
        original_row_no,
        payload
    from records

)

{{ disposed('parsed') }}
