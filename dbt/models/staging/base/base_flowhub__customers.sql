with

landed as (

    {{ landed('flowhub', ['customers']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'id': 'VARCHAR', 'createdAt': 'VARCHAR', 'updatedAt': 'VARCHAR', 'type': 'VARCHAR', 'name': 'VARCHAR',
            'state': 'VARCHAR', 'birthDate': 'VARCHAR', 'isLoyal': 'BOOLEAN', 'loyaltyPoints': 'DOUBLE',
            'phone': 'VARCHAR', 'email': 'VARCHAR', 'streetAddress1': 'VARCHAR', 'city': 'VARCHAR', 'zip': 'VARCHAR',
            'country': 'VARCHAR', 'consentsToPromotionalEmail': 'BOOLEAN', 'consentsToPromotionalSMS': 'BOOLEAN',
            'groups': 'JSON', 'medId': 'VARCHAR'
        }) }} as record
    from judged

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'id') }} as flowhub_customer_id,

        ---------- strings
        trim({{ json_field('record', 'name') }}) as full_name,
        {{ clean_email(json_field('record', 'email')) }} as email,
        {{ clean_phone(json_field('record', 'phone'), json_field('record', 'country')) }} as phone,
        {{ clean_medical_id(json_field('record', 'medId')) }} as medical_id,
        nullif(trim({{ json_field('record', 'streetAddress1') }}), '') as street_address,
        nullif(trim({{ json_field('record', 'city') }}), '') as city,
        nullif(trim({{ json_field('record', 'zip') }}), '') as postal_code,
        nullif(upper(trim({{ json_field('record', 'state') }})), '') as state,
        nullif(upper(trim({{ json_field('record', 'country') }})), '') as country,
        case lower({{ json_field('record', 'type') }})
            when 'reccustomer' then 'rec'
            when 'medcustomer' then 'med'
            else 'unknown'
        end as programme,
        cast({{ json_field('record', 'groups') }} as varchar) as customer_groups,

        ---------- numerics
        {{ json_field('record', 'loyaltyPoints', 'double precision') }} as loyalty_points,

        ---------- booleans
        {{ json_field('record', 'isLoyal', 'boolean') }} as is_loyal,
        {{ json_field('record', 'consentsToPromotionalEmail', 'boolean') }} as email_opt_in,
        {{ json_field('record', 'consentsToPromotionalSMS', 'boolean') }} as sms_opt_in,

        ---------- timestamps
        {{ json_field('record', 'birthDate', 'date') }} as birth_date,
        {{ utc_timestamp(json_field('record', 'createdAt')) }} as created_at,
        {{ utc_timestamp(json_field('record', 'updatedAt')) }} as updated_at,
        received_at,

        landed_stream,
        problem,
        original_seq,
        original_row_no,
        payload
    from records

)

{{ versioned('parsed', 'flowhub_customer_id', remember=['email', 'phone', 'email_opt_in', 'sms_opt_in']) }}
