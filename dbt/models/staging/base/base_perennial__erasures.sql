with

landed as (

    {{ landed('perennial', ['erasures']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'erasure_id': 'VARCHAR', 'kind': 'VARCHAR', 'channel': 'VARCHAR', 'hash': 'VARCHAR', 'salt_id': 'VARCHAR',
            'erased_at': 'VARCHAR'
        }) }} as record
    from judged

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'erasure_id') }} as erasure_id,
        {{ json_field('record', 'salt_id') }} as salt_id,

        ---------- strings
        {{ json_field('record', 'kind') }} as erased_kind,
        {{ json_field('record', 'channel') }} as channel,
        {{ json_field('record', 'hash') }} as erased_hash,

        ---------- timestamps
        {{ utc_timestamp(json_field('record', 'erased_at')) }} as erased_at,
        received_at,

        landed_stream,
        problem,
        payload
    from records

)

{{ disposed('parsed') }}
