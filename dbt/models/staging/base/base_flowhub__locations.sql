with

landed as (

    {{ landed('flowhub', ['locations']) }}

),

records as (

    select
        landed.*,
        {{ json_record('payload', {
            'locationId': 'VARCHAR', 'importId': 'VARCHAR', 'locationName': 'VARCHAR', 'timeZone': 'VARCHAR',
            'address': 'JSON', 'licenseType': 'JSON'
        }) }} as record
    from landed

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

        payload
    from records

),

judged as (

    select
        parsed.*,
        {{ first_problem([
            ('locationId is missing: Flowhub sends it with every location', 'store_id is null'),
        ]) }} as problem
    from parsed

)

{{ versioned('judged', 'store_id') }}
