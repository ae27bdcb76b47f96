with

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

identifier_status as (

    select * from {{ ref('int_identity__identifier_status') }}

),

map as (

    select * from {{ ref('int_identity__map') }}

)

select
    identifiers.identifier_type,
    identifiers.identifier_value,
    identifier_status.verdict,
    identifier_status.block_reason,
    cast(identifier_status.record_count as integer) as record_count,
    cast(identifier_status.known_record_count as integer) as known_record_count,
    cast(identifier_status.given_name_count as integer) as given_name_count,
    cast(identifier_status.birth_date_count as integer) as birth_date_count,
    cast(count(distinct map.customer_id) as integer) as person_count,
    identifier_status.recycled_at,
    min(identifiers.first_seen_at) as first_seen_at,
    max(identifiers.last_seen_at) as last_seen_at
from identifier_status
inner join identifiers on identifier_status.identifier_key = identifiers.identifier_key
inner join map on identifiers.record_key = map.record_key
where (identifier_status.verdict <> 'links' or identifier_status.recycled_at is not null)
    and identifiers.is_active
group by
    identifiers.identifier_type,
    identifiers.identifier_value,
    identifier_status.verdict,
    identifier_status.block_reason,
    identifier_status.record_count,
    identifier_status.known_record_count,
    identifier_status.given_name_count,
    identifier_status.birth_date_count,
    identifier_status.recycled_at
