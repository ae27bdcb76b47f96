{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id',
    post_hook=["{{ drop_merged_customers() }}"],
) }}

with

map as (

    select * from {{ ref('int_identity__map') }}

),

records as (

    select * from {{ ref('int_identity__records') }}

),

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

identifier_status as (

    select * from {{ ref('int_identity__identifier_status') }}

),

priorities as (

    select * from {{ ref('source_priority') }}

),

consent as (

    select * from {{ ref('address_consent') }}

),

states as (

    select * from {{ ref('states') }}

),

postal_codes as (

    select * from {{ ref('postal_codes') }}

),

touched as (

    select customer_id from map where {{ changed_since() }}
    union
    select previous_customer_id from map where {{ changed_since() }} and previous_customer_id is not null
    union
    select map.customer_id
    from map
    inner join records on map.record_key = records.record_key
    where {{ changed_since('records.changed_build_no') }}
    union
    select map.customer_id
    from map
    inner join identifiers on map.record_key = identifiers.record_key
    inner join consent on identifiers.identifier_value = consent.address
    where {{ changed_since('consent.changed_build_no') }}
    union
    -- an address that came to be shared is no longer hers
    select map.customer_id
    from map
    inner join identifiers on map.record_key = identifiers.record_key
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    where {{ changed_since('identifier_status.changed_build_no') }}
    {%- if is_incremental() and var('deploying') %}
    union
    -- the seed has learned where she lives, or another place of it
    select known.customer_id
    from {{ this }} as known
    {{ join_postal_code('known') }}
    where known.latitude is distinct from postal_codes.latitude
        or known.longitude is distinct from postal_codes.longitude
    {%- endif %}

),

hers as (

    select
        map.customer_id,
        map.is_rebuilt,
        records.*,
        priorities.contact_priority,
        priorities.legal_priority
    from map
    inner join records on map.record_key = records.record_key
    inner join priorities on records.source = priorities.source
    where map.customer_id in (select customer_id from touched)

),

addresses as (

    {#- the addresses that may be written to: her records' present ones, neither blocked nor given to another -#}
    select
        hers.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        hers.contact_priority,
        hers.last_seq
    from hers
    inner join identifiers on hers.record_key = identifiers.record_key
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    where {{ is_her_address('identifiers', 'identifier_status') }}

),

contacts as (

    select
        customer_id,
        (array_agg(identifier_value order by contact_priority, last_seq desc, identifier_value)
            filter (where identifier_type = 'email'))[1] as email,
        (array_agg(identifier_value order by contact_priority, last_seq desc, identifier_value)
            filter (where identifier_type = 'phone'))[1] as phone
    from addresses
    group by customer_id

),

golden as (

    select
        customer_id,
        {%- for field in ['full_name', 'birth_date', 'street_address', 'city', 'postal_code', 'state', 'country',
                          'customer_groups'] %}
        (array_agg({{ field }} order by legal_priority, last_seq desc, record_key)
            filter (where {{ field }} is not null))[1] as {{ field }},
        {%- endfor %}
        case
            when bool_or(programme = 'med') then 'med'
            when bool_or(programme = 'rec') then 'rec'
            else 'unknown'
        end as programme,
        coalesce(bool_or(is_loyal), false) or bool_or(record_type = 'shopify_customer') as is_loyal,
        -- two dates that no slip of the pen makes one, or records that agreed in too little to stay together
        coalesce(not {{ one_birth_date('min(birth_date)', 'max(birth_date)') }}, false) or bool_or(is_rebuilt)
            as has_conflict,
        -- the point of sale's id is what AIQ knows her by
        min(case when record_type = 'flowhub_customer' then substr(node, 18) end) as flowhub_customer_id,
        count(*) as record_count,
        bool_or({{ is_known_record('record_type') }}) as is_known
    from hers
    group by customer_id

)

select
    golden.customer_id,
    golden.full_name,
    split_part(golden.full_name, ' ', 1) as first_name,
    contacts.email,
    contacts.phone,
    golden.birth_date,
    cast(extract(month from golden.birth_date) as integer) as birth_month,
    golden.street_address,
    golden.city,
    golden.postal_code,
    golden.state,
    coalesce(golden.country, 'US') as country,
    postal_codes.latitude,
    postal_codes.longitude,
    coalesce(states.time_zone, '{{ var("time_zone") }}') as time_zone,
    golden.programme,
    coalesce(email_consent.status, 'unknown') as email_consent,
    coalesce(sms_consent.status, 'unknown') as sms_consent,
    coalesce(email_consent.basis in ('stop', 'erasure'), false) as is_email_suppressed,
    coalesce(sms_consent.basis in ('stop', 'erasure'), false) as is_sms_suppressed,
    golden.is_loyal,
    golden.has_conflict,
    golden.customer_groups as tags,
    golden.flowhub_customer_id,
    cast(golden.record_count as integer) as record_count,
    {{ build_no() }} as changed_build_no
from golden
left join contacts on golden.customer_id = contacts.customer_id
left join states on golden.state = states.state
{{ join_postal_code('golden') }}
left join consent as email_consent
    on contacts.email = email_consent.address and email_consent.channel = 'email'
left join consent as sms_consent
    on contacts.phone = sms_consent.address and sms_consent.channel = 'sms'
where golden.is_known
