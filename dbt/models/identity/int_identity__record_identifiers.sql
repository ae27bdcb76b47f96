{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['record_key', 'identifier_key']) }}

with

sightings as (

    select * from {{ ref('int_identity__sightings') }}
    where {{ is_news() }}

),

placeholders as (

    select * from {{ ref('placeholder_identifiers') }}

),

carried as (

    {%- for identifier in ['medical_id', 'email', 'phone', 'flowhub_customer_id', 'jane_external_user_id', 'jane_cart',
                           'pos_order_id', 'shopify_merge', 'device_id', 'name_birthday'] %}
    select
        record_key, '{{ identifier }}' as identifier_type, {{ identifier }} as identifier_value,
        source, seq, row_no, seen_at, is_snapshot
    from sightings
    where {{ identifier }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

seen as (

    select
        record_key,
        identifier_type,
        identifier_value,
        min(source) as source,
        min(seq) as first_seq,
        max(seq) as last_seq,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at,
        bool_or(is_snapshot) as is_shown
    from carried
    group by record_key, identifier_type, identifier_value

),

newest_snapshots as (

    {#- what a source that shows whole records says now about the record's contact -#}
    select record_key, email, phone, name_birthday
    from (
        select *, row_number() over (partition by record_key order by seq desc, row_no desc) as recency
        from sightings
        where is_snapshot
    ) as snapshots
    where recency = 1

),

keyed as (

    select
        seen.*,
        {{ key64("seen.identifier_type || '|' || seen.identifier_value") }} as identifier_key,
        exists(
            select 1 from placeholders
            where placeholders.identifier_type = seen.identifier_type
                and seen.identifier_value like placeholders.pattern
        ) as is_placeholder,
        -- an address that the record has changed away from links no more
        newest_snapshots.record_key is null
            or seen.identifier_type not in ('email', 'phone', 'name_birthday')
            or seen.identifier_value in (
                newest_snapshots.email, newest_snapshots.phone, newest_snapshots.name_birthday
            ) as is_active,
        newest_snapshots.record_key is not null as has_snapshot
    from seen
    left join newest_snapshots
        on seen.record_key = newest_snapshots.record_key

)

{%- if not is_incremental() %}

select
    record_key, identifier_key, identifier_type, identifier_value, source, is_placeholder,
    coalesce(is_active, false) as is_active, is_shown, first_seq, last_seq, first_seen_at, last_seen_at,
    {{ build_no() }} as changed_build_no
from keyed

{%- else %}
,

known as (

    select known.*
    from {{ this }} as known
    where known.record_key in (select record_key from keyed)

),

settled as (

    {#- where a source has shown the whole record before, an event that carries an address does not bring it back -#}
    select
        keyed.*,
        known.record_key is not null as is_known,
        known.is_active as was_active,
        known.first_seq as known_first_seq,
        known.first_seen_at as known_first_seen_at,
        known.changed_build_no as known_changed_build_no,
        coalesce(known.is_shown, false) as was_shown,
        case
            when keyed.identifier_type in ('email', 'phone', 'name_birthday')
                and not keyed.has_snapshot
                and keyed.record_key in (select known.record_key from known where known.is_shown)
                then coalesce(known.is_active, false)
            else coalesce(keyed.is_active, false)
        end as is_active_now
    from keyed
    left join known
        on keyed.record_key = known.record_key and keyed.identifier_key = known.identifier_key

),

dropped as (

    {#- identifiers of a changed record that its newest snapshot no longer shows -#}
    select known.*
    from known
    inner join newest_snapshots
        on known.record_key = newest_snapshots.record_key
    where known.is_active
        and known.identifier_type in ('email', 'phone', 'name_birthday')
        and known.identifier_value not in (
            coalesce(newest_snapshots.email, ''), coalesce(newest_snapshots.phone, ''),
            coalesce(newest_snapshots.name_birthday, '')
        )
        and known.identifier_key not in (
            select keyed.identifier_key from keyed where keyed.record_key = known.record_key
        )

)

select
    record_key, identifier_key, identifier_type, identifier_value, source, is_placeholder,
    is_active_now as is_active,
    is_shown or was_shown as is_shown,
    coalesce(known_first_seq, first_seq) as first_seq,
    last_seq,
    coalesce(known_first_seen_at, first_seen_at) as first_seen_at,
    last_seen_at,
    -- seeing again what is known is no news for who is who
    case
        when is_known and was_active = is_active_now then known_changed_build_no
        else {{ build_no() }}
    end as changed_build_no
from settled

union all

select
    record_key, identifier_key, identifier_type, identifier_value, source, is_placeholder,
    false, is_shown, first_seq, last_seq, first_seen_at, last_seen_at,
    {{ build_no() }}
from dropped

{%- endif %}
