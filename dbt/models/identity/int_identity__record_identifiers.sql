{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key=['record_key', 'identifier_key'],
) }}

{#- what a source that shows whole records shows, and takes back when it shows something else, and what only comes;
    column of the sightings -> type. Either name with something else is one type: people fill in forms the wrong way
    round. -#}
{%- set shown = {
    'medical_id': 'medical_id', 'email': 'email', 'phone': 'phone', 'name_birthday': 'name_birthday',
    'birthday_street': 'birthday_street', 'given_name_birthday_postal_code': 'name_birthday_postal_code',
    'surname_birthday_postal_code': 'name_birthday_postal_code', 'name_street': 'name_street',
    'given_name_home': 'name_home', 'surname_home': 'name_home',
    'email_and_phone': 'email_and_phone', 'name_phone_end': 'name_phone_end',
} -%}
{%- set given = {
    'flowhub_customer_id': 'flowhub_customer_id', 'jane_external_user_id': 'jane_external_user_id',
    'jane_cart': 'jane_cart', 'pos_order_id': 'pos_order_id', 'shopify_merge': 'shopify_merge',
    'device_id': 'device_id',
} -%}
{%- set shown_types = "('" ~ shown.values() | unique | join("', '") ~ "')" -%}

with

sightings as (

    select * from {{ ref('int_identity__sightings') }}
    where {{ is_news() }}

),

carried as (

    {%- for column, type in (shown.items() | list) + (given.items() | list) %}
    select
        record_key, '{{ type }}' as identifier_type, {{ column }} as identifier_value,
        source, seq, row_no, seen_at, is_snapshot
    from sightings
    where {{ column }} is not null
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
    select record_key, {{ shown | join(', ') }}
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
        -- an address that the record has changed away from links no more
        newest_snapshots.record_key is null
            or seen.identifier_type not in {{ shown_types }}
            or seen.identifier_value in (newest_snapshots.{{ shown | join(', newest_snapshots.') }}) as is_active,
        newest_snapshots.record_key is not null as has_snapshot
    from seen
    left join newest_snapshots
        on seen.record_key = newest_snapshots.record_key

)

{%- if not is_incremental() %}

select
    record_key, identifier_key, identifier_type, identifier_value, source,
    coalesce(is_active, false) as is_active, is_shown, first_seq, last_seq, first_seen_at, last_seen_at,
    {{ build_no() }} as changed_build_no
from keyed

{%- else %}
,

known as (

    select known.*
    from {{ this }} as known
    where known.record_key in (select record_key from keyed)
        -- a record that shows nothing any more takes back what it showed
        or known.record_key in (select record_key from newest_snapshots)

),

settled as (

    {#- where a source has shown the whole record before, an event that carries an address does not bring it back -#}
    select
        keyed.*,
        known.record_key is not null as is_known,
        known.is_active as was_active,
        known.first_seq as known_first_seq,
        known.first_seen_at as known_first_seen_at,
        known.last_seen_at as known_last_seen_at,
        known.changed_build_no as known_changed_build_no,
        coalesce(known.is_shown, false) as was_shown,
        case
            when keyed.identifier_type in {{ shown_types }}
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
        and known.identifier_type in {{ shown_types }}
        and known.identifier_value not in (
            {%- for identifier in shown %}
            coalesce(newest_snapshots.{{ identifier }}, ''){{ ',' if not loop.last }}
            {%- endfor %}
        )
        and known.identifier_key not in (
            select keyed.identifier_key from keyed where keyed.record_key = known.record_key
        )

)

select
    record_key, identifier_key, identifier_type, identifier_value, source,
    is_active_now as is_active,
    is_shown or was_shown as is_shown,
    coalesce(known_first_seq, first_seq) as first_seq,
    last_seq,
    -- batches may land in another order than their rows were received
    least(known_first_seen_at, first_seen_at) as first_seen_at,
    greatest(known_last_seen_at, last_seen_at) as last_seen_at,
    -- seeing again what is known is no news for who is who
    case
        when is_known and was_active = is_active_now then known_changed_build_no
        else {{ build_no() }}
    end as changed_build_no
from settled

union all

select
    record_key, identifier_key, identifier_type, identifier_value, source,
    false, is_shown, first_seq, last_seq, first_seen_at, last_seen_at,
    {{ build_no() }}
from dropped

{%- endif %}
