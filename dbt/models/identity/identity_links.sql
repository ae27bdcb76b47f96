with

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

identifier_status as (

    select * from {{ ref('int_identity__identifier_status') }}

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

map as (

    select * from {{ ref('int_identity__map') }}

),

held as (

    {#- a value that was given to another is another value from then on -#}
    select
        map.customer_id,
        map.node,
        identifiers.identifier_key,
        identifiers.identifier_type,
        identifiers.identifier_value,
        coalesce(identifiers.first_seen_at >= identifier_status.recycled_at, false) as is_after_recycling,
        identifier_status.verdict,
        rules.tier,
        rules.link_mode,
        rules.why,
        identifiers.source,
        identifiers.first_seen_at,
        identifiers.last_seen_at
    from identifiers
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    inner join rules on identifiers.identifier_type = rules.identifier_type
    inner join map on identifiers.record_key = map.record_key
    where identifiers.is_active
        and identifier_status.verdict <> 'blocked'

),

counted as (

    select
        *,
        count(*) over (partition by customer_id, identifier_key, is_after_recycling) as record_count
    from held

)

select
    customer_id,
    node,
    identifier_type,
    identifier_value,
    is_after_recycling,
    tier,
    link_mode as rule,
    why,
    verdict,
    source,
    cast(record_count as integer) as record_count,
    first_seen_at,
    last_seen_at
from counted
where record_count > 1
