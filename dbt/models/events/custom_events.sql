with

names as (

    select * from {{ ref('int_event_names') }}

),

types as (

    select * from {{ ref('event_types') }}

),

integrations as (

    select distinct names.source
    from names
    inner join types on position(' ' || names.source || ' ' in ' ' || types.available_from || ' ') > 0

)

select
    names.event_name,
    names.source as partner,
    names.events,
    names.first_received_at,
    names.last_received_at
from names
where names.event_name not in (select types.event_name from types)
    and names.source not in (select integrations.source from integrations)
