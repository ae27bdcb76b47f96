with

landed as (

    {{ landed('shopify', ['webhooks']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        lower(trim({{ json_text('headers', ['X-Shopify-Topic']) }})) as topic,
        {{ utc_timestamp(json_text('headers', ['X-Shopify-Triggered-At'])) }} as triggered_at,
        {{ json_record('payload', {
            'id': 'VARCHAR', 'customer_id': 'VARCHAR', 'customerId': 'VARCHAR', 'email': 'VARCHAR',
            'email_address': 'VARCHAR',
            'phone': 'VARCHAR', 'first_name': 'VARCHAR', 'last_name': 'VARCHAR', 'updated_at': 'VARCHAR',
            'created_at': 'VARCHAR', 'admin_graphql_api_customer_kept_id': 'VARCHAR',
            'admin_graphql_api_customer_deleted_id': 'VARCHAR', 'status': 'VARCHAR',
            'email_marketing_consent': 'JSON', 'sms_marketing_consent': 'JSON', 'tags': 'VARCHAR'
        }) }} as record
    from judged

),

fields as (

    select
        records.*,
        cast({{ json_field('record', 'email_marketing_consent') }} as varchar) as email_marketing_consent,
        cast({{ json_field('record', 'sms_marketing_consent') }} as varchar) as sms_marketing_consent,
        nullif({{ json_field('record', 'tags') }}, '') as tags_told
    from records

),

parsed as (

    select
        ---------- ids; webhooks carry numbers, GraphQL ids end in the same number
        seq,
        row_no,
        source_key,
        coalesce(
            {{ json_field('record', 'id') }}, {{ json_field('record', 'customer_id') }},
            {{ shopify_id(json_field('record', 'customerId')) }},
            {{ shopify_id(json_field('record', 'admin_graphql_api_customer_kept_id')) }}
        ) as shopify_customer_id,
        {{ shopify_id(json_field('record', 'admin_graphql_api_customer_deleted_id')) }} as deleted_shopify_customer_id,

        ---------- strings
        topic,
        {{ clean_email(
            'coalesce(' ~ json_field('record', 'email') ~ ', ' ~ json_field('record', 'email_address') ~ ')'
        ) }} as email,
        {{ clean_phone(json_field('record', 'phone')) }} as phone,
        nullif(trim(concat_ws(
            ' ', {{ json_field('record', 'first_name') }}, {{ json_field('record', 'last_name') }}
        )), '') as full_name,
        lower({{ json_field('record', 'status') }}) as merge_status,
        lower({{ json_text('email_marketing_consent', ['state']) }}) as email_consent_state,
        lower({{ json_text('sms_marketing_consent', ['state']) }}) as sms_consent_state,
        -- a list of texts, which the customer's own webhooks wrote as one text with commas
        case
            when tags_told like '[%' then tags_told
            when tags_told is not null then '["' || replace(
                replace(replace(replace(tags_told, '\', '\\'), '"', '\"'), ', ', ','), ',', '","'
            ) || '"]'
        end as tags,

        ---------- timestamps; a customer's webhook may carry consents that are older than it
        coalesce(
            case topic
                when 'customers_email_marketing_consent/update'
                    then {{ utc_timestamp(json_text('email_marketing_consent', ['consent_updated_at'])) }}
                when 'customers_marketing_consent/update'
                    then {{ utc_timestamp(json_text('sms_marketing_consent', ['consent_updated_at'])) }}
            end,
            {{ utc_timestamp(json_field('record', 'updated_at')) }},
            triggered_at,
            received_at
        ) as occurred_at,
        {{ utc_timestamp(json_field('record', 'created_at')) }} as created_at,
        received_at,

        landed_stream,
        problem,
        payload
    from fields

)

{{ disposed('parsed') }}
