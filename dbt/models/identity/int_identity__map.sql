{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='record_key') }}

{#- Cost follows the news: only the neighbourhoods that were walked again are resolved again, and only those in which
    somebody contradicts somebody go through the tiers. A deployment may have changed the rules, so it looks at all. -#}
with recursive

neighbourhoods as (

    select * from {{ ref('int_identity__neighbourhoods') }}

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

rules as (

    select
        identifier_type,
        tier,
        case
            when link_mode = 'attach' and {{ var('identity_devices_merge') }} then 'unless_contradicted'
            else link_mode
        end as link_mode
    from {{ ref('identifier_rules') }}

),

kept_apart as (

    {#- which side of which `do_not_link` a record is on -#}
    select node, string_agg(side, ' ' order by side) as sides
    from (
        select node_a as node, md5(node_a || ' ' || node_b) || 'a' as side from {{ ref('do_not_link') }}
        union
        select node_b as node, md5(node_a || ' ' || node_b) || 'b' as side from {{ ref('do_not_link') }}
    ) as listed
    group by node

),

looked_at as (

    select
        neighbourhoods.record_key,
        neighbourhoods.neighbourhood,
        records.node,
        records.first_seq,
        records.first_row_no,
        records.given_name_key,
        records.surname_key,
        records.birth_date,
        {{ is_known_record('records.record_type') }} as is_known,
        kept_apart.sides
    from neighbourhoods
    inner join records on neighbourhoods.record_key = records.record_key
    left join kept_apart on records.node = kept_apart.node
    {%- if not var('deploying') %}
    where {{ changed_since('neighbourhoods.changed_build_no') }}
    {%- endif %}

),

contested as (

    select neighbourhood
    from looked_at
    group by neighbourhood
    having min(given_name_key) <> max(given_name_key)
        or min(birth_date) <> max(birth_date)
        or max(sides) is not null
    union
    -- a device must not join two known people who contradict each other in nothing
    select looked_at.neighbourhood
    from looked_at
    inner join identifiers on looked_at.record_key = identifiers.record_key
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    inner join rules on identifiers.identifier_type = rules.identifier_type
    where rules.link_mode = 'attach'
        and identifiers.is_active
        and identifier_status.verdict <> 'blocked'
        and identifier_status.known_record_count > 1

),

claims as (

    {#- who holds what; a value that was given to another is another value from then on -#}
    select
        looked_at.record_key,
        rules.tier,
        rules.link_mode,
        case
            when identifiers.first_seen_at >= identifier_status.recycled_at
                then {{ key64("'again|' || identifiers.identifier_key") }}
            else identifiers.identifier_key
        end as link_key
    from looked_at
    inner join identifiers on looked_at.record_key = identifiers.record_key
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    inner join rules on identifiers.identifier_type = rules.identifier_type
    where identifiers.is_active
        and identifier_status.verdict <> 'blocked'
        and looked_at.neighbourhood in (select neighbourhood from contested)

),

tier_0 as (

    select
        record_key,
        record_key as component
    from looked_at
    where neighbourhood in (select neighbourhood from contested)

),

{% for tier in range(1, 6) -%}
{{ joined_tier('tier_' ~ tier, 'tier_' ~ (tier - 1), tier) }},

{% endfor -%}

dated as (

    select distinct
        tier_5.component,
        looked_at.birth_date
    from tier_5
    inner join looked_at on tier_5.record_key = looked_at.record_key
    where looked_at.birth_date is not null

),

broken as (

    {#- each step was right by itself, and together they contradict: Ann, a nameless cart, Bob -#}
    select one.component
    from dated as one
    inner join dated as other on one.component = other.component and one.birth_date < other.birth_date
    where not {{ one_birth_date('one.birth_date', 'other.birth_date') }}
    union
    select one.component
    from {{ ref('do_not_link') }} as listed
    inner join tier_5 as one on {{ key64('listed.node_a') }} = one.record_key
    inner join tier_5 as other on {{ key64('listed.node_b') }} = other.record_key and one.component = other.component

),

agreed_ties as (

    {#- built again from what agrees in all that is known -#}
    select
        claims.record_key as component,
        case claims.link_mode
            when 'always' then {{ key64("claims.link_key || '|' || coalesce(looked_at.sides, '')") }}
            else {{ key64("claims.link_key || '|' || coalesce(looked_at.sides, '') || '|' || looked_at.birth_date
                          || '|' || looked_at.given_name_key") }}
        end as tie
    from claims
    inner join tier_5 on claims.record_key = tier_5.record_key
    inner join looked_at on claims.record_key = looked_at.record_key
    where tier_5.component in (select component from broken)
        and (
            claims.link_mode = 'always'
            or (
                claims.link_mode <> 'attach'
                and looked_at.birth_date is not null
                and looked_at.given_name_key is not null
            )
        )

),

{{ joined_by('agreed', 'agreed_ties') }},

resolved as (

    select
        record_key,
        neighbourhood as component,
        false as is_rebuilt
    from looked_at
    where neighbourhood not in (select neighbourhood from contested)
    union all
    select
        record_key,
        component,
        false as is_rebuilt
    from tier_5
    where component not in (select component from broken)
    union all
    select
        tier_5.record_key,
        coalesce(agreed.component, tier_5.record_key) as component,
        true as is_rebuilt
    from tier_5
    left join agreed on tier_5.record_key = agreed.id
    where tier_5.component in (select component from broken)

),

anchored as (

    {#- a person is named after her oldest record, so an id outlives merges, new records and rebuilds -#}
    select
        looked_at.record_key,
        looked_at.node,
        looked_at.is_known,
        resolved.is_rebuilt,
        first_value(looked_at.node) over (
            partition by resolved.component
            order by looked_at.first_seq, looked_at.first_row_no, looked_at.record_key
        ) as anchor_node
    from resolved
    inner join looked_at on resolved.record_key = looked_at.record_key

),

named as (

    select
        anchored.record_key,
        anchored.node,
        anchored.is_known,
        anchored.is_rebuilt,
        {{ customer_id_of('anchored.anchor_node') }} as customer_id,
        {% if is_incremental() -%}
        known.customer_id as known_customer_id,
        known.is_rebuilt as was_rebuilt
        {%- else -%}
        cast(null as varchar) as known_customer_id,
        cast(null as boolean) as was_rebuilt
        {%- endif %}
    from anchored
    {%- if is_incremental() %}
    left join {{ this }} as known on anchored.record_key = known.record_key
    {%- endif %}

),

people as (

    select
        customer_id,
        count(*) filter (where is_known) as record_count,
        -- whom she takes in: ids that end with this load
        count(distinct known_customer_id) filter (
            where is_known and known_customer_id not in (select customer_id from named)
        ) as absorbed_count
    from named
    group by customer_id

),

load_limits as (

    select
        {{ var('identity_max_records') }} as max_records,
        {% if is_incremental() -%}
        greatest(
            {{ var('identity_max_absorbed') }},
            (select count(distinct customer_id) from {{ this }}) * {{ var('identity_max_absorbed_percent') }} / 100
        ) as max_absorbed
        {%- else -%}
        cast(null as bigint) as max_absorbed
        {%- endif %}

),

tripped as (

    {#- a load that joins too much is a mistake somewhere: a kiosk's address, a shared till. The map stays as it is -#}
    select
        max(people.record_count) as record_count,
        sum(people.absorbed_count) as absorbed_count,
        min(load_limits.max_records) as max_records,
        min(load_limits.max_absorbed) as max_absorbed
    from people
    cross join load_limits
    having max(people.record_count) > min(load_limits.max_records)
        or sum(people.absorbed_count) > min(load_limits.max_absorbed)

),

culprits as (

    select
        identifiers.identifier_type,
        identifiers.identifier_value,
        count(distinct coalesce(named.known_customer_id, named.node)) as joined_count
    from tripped
    inner join people on people.record_count > tripped.max_records or people.absorbed_count > 0
    inner join named on people.customer_id = named.customer_id
    inner join identifiers on named.record_key = identifiers.record_key
    where identifiers.is_active
    group by identifiers.identifier_type, identifiers.identifier_value
    order by joined_count desc, identifiers.identifier_type, identifiers.identifier_value
    limit 3

),

circuit as (

    select
        'this load would make one person of ' || tripped.record_count || ' records (IDENTITY_MAX_RECORDS is '
        || tripped.max_records || ') and end the ids of ' || tripped.absorbed_count || ' people (at most '
        || coalesce(cast(tripped.max_absorbed as varchar), 'any') || '). The map stays as it is. What joins them: '
        || (
            select string_agg(
                identifier_type || ' ' || {{ masked_identifier('identifier_type', 'identifier_value') }}
                || ' on ' || joined_count, ', ' order by joined_count desc
            ) from culprits
        )
        || '. Add the value to dbt/seeds/placeholder_identifiers.csv, or raise the limit if it is right' as problem
    from tripped

)

select
    record_key,
    node,
    customer_id,
    case when customer_id <> known_customer_id then known_customer_id end as previous_customer_id,
    is_rebuilt,
    {{ as_of() }} as changed_at,
    {{ build_no() }} as changed_build_no
from named
where (customer_id is distinct from known_customer_id or is_rebuilt is distinct from was_rebuilt)
    and coalesce((select {{ fail_with('circuit.problem') }} from circuit), true)
