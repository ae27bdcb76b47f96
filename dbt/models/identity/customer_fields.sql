{#- The fields of the golden record, one under the other, with where each comes from. `dim_customers` chooses by the
    same order for the few people that changed; `assert_customers_say_what_their_fields_say` holds the two together. -#}
{%- set legal = {
    'full_name': 'full_name', 'birth_date': 'cast(birth_date as varchar)', 'street_address': 'street_address',
    'city': 'city', 'postal_code': 'postal_code', 'state': 'state', 'country': 'country', 'tags': 'customer_groups',
} -%}
with

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

identifier_status as (

    select * from {{ ref('int_identity__identifier_status') }}

),

hers as (

    select
        map.customer_id,
        records.*,
        priorities.contact_priority,
        priorities.legal_priority,
        bool_or({{ is_known_record('records.record_type') }}) over (partition by map.customer_id) as is_known
    from {{ ref('int_identity__map') }} as map
    inner join {{ ref('int_identity__records') }} as records on map.record_key = records.record_key
    inner join {{ ref('source_priority') }} as priorities on records.source = priorities.source

),

listed (field, rule) as (

    values
    {%- for field in legal %}
    ('{{ field }}', 'legal_priority'),
    {%- endfor %}
    ('programme', 'any_record'),
    ('is_loyal', 'any_record'),
    ('flowhub_customer_id', 'smallest_id')

),

told as (

    select
        hers.customer_id,
        hers.is_known,
        hers.record_key,
        hers.node,
        hers.source,
        hers.last_seen_at as seen_at,
        hers.last_seq,
        listed.field,
        listed.rule,
        hers.legal_priority as priority,
        case listed.field
            {%- for field, column in legal.items() %}
            when '{{ field }}' then {{ column }}
            {%- endfor %}
            -- one record that says so is enough
            when 'programme' then case when hers.programme in ('med', 'rec') then hers.programme end
            when 'is_loyal' then case when hers.is_loyal or hers.record_type = 'shopify_customer' then 'true' end
            when 'flowhub_customer_id'
                then case when hers.record_type = 'flowhub_customer' then substr(hers.node, 18) end
        end as value
    from hers
    cross join listed

),

addresses as (

    {#- that may be written to: her records' present ones, none that is blocked or was given to another -#}
    select
        hers.customer_id,
        hers.is_known,
        hers.record_key,
        hers.node,
        hers.source,
        identifiers.last_seen_at as seen_at,
        hers.last_seq,
        identifiers.identifier_type as field,
        'contact_priority' as rule,
        hers.contact_priority as priority,
        identifiers.identifier_value as value
    from hers
    inner join identifiers on hers.record_key = identifiers.record_key
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    where {{ is_her_address('identifiers', 'identifier_status') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, field
            order by
                -- `med` and `rec`, and ids: by what they say, whoever says it
                case when rule in ('any_record', 'smallest_id') then value end,
                priority,
                last_seq desc,
                case when rule = 'contact_priority' then value end,
                record_key
        ) as place
    from (
        select * from told where value is not null
        union all
        select * from addresses
    ) as candidates

)

select
    customer_id,
    field,
    value,
    source,
    node,
    seen_at,
    rule
from ranked
where place = 1 and is_known
