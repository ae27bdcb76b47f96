{{ config(materialized='incremental', incremental_strategy='append') }}

{#- What time alone brought about, kept once for ever. Each rule (`int_clock__…`) says what is due in this moment;
    what was derived before is left out, whatever the settings were then. A rule looks at the present state of what
    its range picks and at what changed in this moment, so the cost follows the news and the hour, not the history.
    The events stand at the moment's own reach in the log (`seq`): whoever reads after this model in this moment has
    not read so far, and whoever reads later has. While a rebuild restores, the rows are what was landed. -#}
{%- if var('restore') %}

{{ landed_derived_events() }}

{%- else %}

with

due as (

    {%- for rule in ['silent_carts', 'points_expiring', 'birth_months', 'orders', 'accounts'] %}
    select
        event_name, subject, since, occurred_at, node, store_id, object_type, object_id, amount, properties
    from {{ ref('int_clock__' ~ rule) }}
    where {{ is_first_run() }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

keyed as (

    select
        *,
        {{ event_id(["'perennial'", 'event_name', 'subject', iso_utc('since')]) }} as event_id,
        {{ key64("event_name || '|' || subject") }} as subject_key
    from due

)

{%- if is_incremental() %}
,

known as (

    select subject_key, occurred_at from {{ this }}
    where subject_key in (select subject_key from keyed)

)
{%- endif %}

select
    event_id,
    event_name,
    subject_key,
    occurred_at,
    {{ as_of() }} as received_at,
    cast({{ var('upto_seq') | int }} as bigint) as seq,
    cast(row_number() over (order by event_id) as integer) as row_no,
    node,
    store_id,
    object_type,
    object_id,
    cast(amount as decimal(18, 2)) as amount,
    properties,
    {{ build_no() }} as build_no
from keyed
{%- if is_incremental() %}
-- an event about the subject since then is this occurrence, whatever the settings were
where not exists (
    select 1 from known
    where known.subject_key = keyed.subject_key and known.occurred_at >= coalesce(keyed.since, known.occurred_at)
)
{%- endif %}

{%- endif %}
