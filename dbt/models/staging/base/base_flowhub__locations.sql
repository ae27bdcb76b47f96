with

landed as (

    {{ landed('flowhub', ['locations']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'locationId': 'VARCHAR', 'importId': 'VARCHAR', 'locationName': 'VARCHAR', 'timeZone': 'VARCHAR',
            'address': 'JSON', 'licenseType': 'JSON'
        }) }} as record
    from judged

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'locationId') }} as store_id,
        {{ json_field('record', 'importId') }} as import_id,

        ---------- strings
        {{ json_field('record', 'locationName') }} as store_name,
        {{ json_field('record', 'timeZone') }} as vendor_time_zone,
        {%- set address = "record.address" if target.type == 'duckdb' else "(record ->> 'address')" %}
        {{ json_text(address, ['state']) }} as state_name,
        {{ json_text(address, ['city']) }} as city,
        {{ json_text(address, ['zip']) }} as postal_code,

        ---------- timestamps
        received_at,

        landed_stream,
        problem,
        original_seq,
        original_row_no,
        payload
    from records

)

{{ versioned('parsed', 'store_id') }}
