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
    identifiers.source,
    map.customer_id,
    bool_or(identifier_status.verdict <> 'links') as is_shared,
    min(identifiers.first_seen_at) as first_seen_at,
    max(identifiers.last_seen_at) as last_seen_at
from identifiers
inner join map on identifiers.record_key = map.record_key
inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
where identifiers.is_active
group by
    identifiers.identifier_type,
    identifiers.identifier_value,
    identifiers.source,
    map.customer_id
