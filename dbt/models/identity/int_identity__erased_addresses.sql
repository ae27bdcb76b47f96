{{ config(materialized='incremental', incremental_strategy='append') }}

{#- An erasure keeps hashes only, so an address is known to be an erased person's when somebody shows it: she comes
    back, or others use it with her. Cost follows the news; an erasure itself looks at every known address once. -#}
with

erasures as (

    select * from {{ ref('stg_perennial__erasures') }}
    where erased_kind = 'address'

),

sightings as (

    select * from {{ ref('int_identity__sightings') }}
    where {{ is_news() }}

),

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}
    where identifier_type in ('email', 'phone')

),

salt as (

    select salt from {{ source('ops', 'salt') }}

),

shown as (

    select
        'email' as channel,
        email as address,
        seq,
        row_no
    from sightings
    where email is not null
    union all
    select
        'sms' as channel,
        phone as address,
        seq,
        row_no
    from sightings
    where phone is not null
    union all
    select
        case identifier_type when 'email' then 'email' else 'sms' end as channel,
        identifier_value as address,
        first_seq as seq,
        0 as row_no
    from identifiers
    where exists (select 1 from erasures where {{ is_news() }})

),

hashed as (

    select
        shown.*,
        {{ salted_hash('salt.salt', "shown.channel || ':' || shown.address") }} as address_hash
    from shown
    cross join salt
    where exists (select 1 from erasures)

),

matched as (

    select
        hashed.channel,
        hashed.address,
        erasures.erasure_id,
        erasures.erased_at,
        greatest(erasures.seq, hashed.seq) as seq,
        case when erasures.seq >= hashed.seq then erasures.row_no else hashed.row_no end as row_no
    from hashed
    inner join erasures
        on hashed.channel = erasures.channel and hashed.address_hash = erasures.erased_hash

),

ranked as (

    select
        *,
        row_number() over (partition by erasure_id, channel, address order by seq, row_no) as place
    from matched

)

select
    seq,
    row_no,
    channel,
    address,
    erasure_id,
    erased_at
from ranked
where place = 1
{%- if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as known
        where known.erasure_id = ranked.erasure_id
            and known.channel = ranked.channel
            and known.address = ranked.address
    )
{%- endif %}
