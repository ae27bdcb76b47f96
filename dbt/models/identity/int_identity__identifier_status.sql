{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='identifier_key') }}

{#- Cost follows the news: a value is judged again when a record takes it up or leaves it, or when what is known of its
    records changes; a deployment may have changed the lists, so it judges them all. -#}
with

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

records as (

    select * from {{ ref('int_identity__records') }}

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

placeholders as (

    select * from {{ ref('placeholder_identifiers') }}

),

touched as (

    select identifier_key from identifiers where {{ changed_since() }}
    union
    -- a new name or birth date may contradict what an identifier joined
    select identifiers.identifier_key
    from identifiers
    inner join records on identifiers.record_key = records.record_key
    where {{ changed_since('records.changed_build_no') }}
    {%- if is_incremental() %}
    union
    -- seen again: what its first owner still shows was not given to another
    select identifiers.identifier_key
    from identifiers
    inner join {{ this }} as known on identifiers.identifier_key = known.identifier_key
    inner join rules on identifiers.identifier_type = rules.identifier_type
    where {{ is_news('identifiers.last_seq') }}
        and known.record_count > 1
        and rules.recycled_after_days is not null
    {%- endif %}
    {%- if var('deploying') %}
    union
    select identifier_key from identifiers
    {%- endif %}

),

carriers as (

    select
        identifiers.identifier_key,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.first_seen_at,
        records.given_name_key,
        records.birth_date,
        {{ is_known_record('records.record_type') }} as is_known,
        max(identifiers.last_seen_at) over earlier_carriers as last_seen_before,
        lag(records.given_name_key) over one_after_another as given_name_before,
        lag(records.birth_date) over one_after_another as birth_date_before
    from identifiers
    inner join records on identifiers.record_key = records.record_key
    where identifiers.is_active
        and identifiers.identifier_key in (select identifier_key from touched)
        -- that we wrote to an address says nothing of whose it is, nor that its owner is still there
        and records.record_type <> 'message_address'
    window
        one_after_another as (
            partition by identifiers.identifier_key order by identifiers.first_seen_at, identifiers.record_key
        ),
        earlier_carriers as (
            partition by identifiers.identifier_key order by identifiers.first_seen_at, identifiers.record_key
            rows between unbounded preceding and 1 preceding
        )

),

values_shown as (

    select
        carriers.identifier_key,
        carriers.identifier_type,
        carriers.identifier_value,
        count(*) as record_count,
        count(*) filter (where carriers.is_known) as known_record_count,
        count(distinct carriers.given_name_key) as given_name_count,
        count(distinct carriers.birth_date) as birth_date_count,
        -- somebody else's, after a long silence: the number was returned and given to another
        max(carriers.first_seen_at) filter (
            where carriers.first_seen_at
                > {{ add_seconds('carriers.last_seen_before', 'rules.recycled_after_days * 86400') }}
                and (
                    carriers.given_name_key <> carriers.given_name_before
                    or carriers.birth_date <> carriers.birth_date_before
                )
        ) as recycled_at
    from carriers
    inner join rules on carriers.identifier_type = rules.identifier_type
    group by carriers.identifier_key, carriers.identifier_type, carriers.identifier_value

),

judged as (

    select
        values_shown.*,
        case
            when exists (
                select 1 from placeholders
                where (
                        placeholders.identifier_type = values_shown.identifier_type
                        and values_shown.identifier_value like placeholders.pattern
                    )
                    -- both together say nothing where one of them stands for nobody
                    or (
                        values_shown.identifier_type = 'email_and_phone'
                        and values_shown.identifier_value like case placeholders.identifier_type
                            when 'email' then placeholders.pattern || '|%'
                            when 'phone' then '%|' || placeholders.pattern
                        end
                    )
            ) then 'placeholder'
            when values_shown.record_count > rules.max_records then 'too_many_records'
            when greatest(values_shown.given_name_count, values_shown.birth_date_count) > rules.max_people
                then 'too_many_people'
            when rules.link_mode = 'attach' and values_shown.known_record_count > rules.max_people
                then 'too_many_people'
        end as block_reason,
        rules.link_mode
    from values_shown
    inner join rules on values_shown.identifier_type = rules.identifier_type

),

found as (

    select
        identifier_key,
        identifier_type,
        record_count,
        known_record_count,
        given_name_count,
        birth_date_count,
        recycled_at,
        block_reason,
        case
            when block_reason is not null then 'blocked'
            when link_mode <> 'always' and (given_name_count > 1 or birth_date_count > 1) then 'links_on_agreement'
            else 'links'
        end as verdict
    from judged

)

select
    found.*,
    {% if is_incremental() -%}
    case
        when known.verdict = found.verdict and (known.recycled_at is not distinct from found.recycled_at)
            then known.changed_build_no
        else {{ build_no() }}
    end as changed_build_no
    {%- else -%}
    {{ build_no() }} as changed_build_no
    {%- endif %}
from found
{% if is_incremental() -%}
left join {{ this }} as known
    on found.identifier_key = known.identifier_key
{%- endif %}
