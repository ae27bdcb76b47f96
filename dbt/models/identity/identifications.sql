{#- An anonymous record is known to be somebody's from the instant at which a value that ties it to a record that she is
    known by had been seen on both. That follows from the sightings alone, so a rebuild gives the same date. -#}
with

links as (

    select
        *,
        {{ is_known_record("split_part(node, ':', 1)") }} as is_known
    from {{ ref('identity_links') }}

),

tied as (

    select
        anonymous.node,
        anonymous.customer_id,
        greatest(anonymous.first_seen_at, known.first_seen_at) as identified_at,
        anonymous.identifier_type,
        known.node as known_node,
        row_number() over (
            partition by anonymous.node
            order by
                greatest(anonymous.first_seen_at, known.first_seen_at),
                anonymous.tier, known.first_seen_at, known.node, anonymous.identifier_type, anonymous.identifier_value
        ) as place
    from links as anonymous
    inner join links as known
        on anonymous.customer_id = known.customer_id
            and anonymous.identifier_type = known.identifier_type
            and anonymous.identifier_value = known.identifier_value
            and anonymous.is_after_recycling = known.is_after_recycling
    where known.is_known
        and not anonymous.is_known

)

select
    node,
    customer_id,
    identified_at,
    identifier_type,
    known_node
from tied
where place = 1
