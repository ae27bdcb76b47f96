{{ config(materialized='incremental', incremental_strategy='append') }}

{#- Who was put on a list or taken off it, as partners' events say: a change names the record that it is evidence about,
    so a merge rewrites none. Cost follows the news. -#}
with

changes as (

    select
        *,
        {{ json_text('properties', ['list_name']) }} as list_name
    from {{ ref('int_events__partners') }}
    where {{ is_news() }}
        and event_name in ('list_joined', 'list_left')

)

select
    event_id,
    {{ key64('node') }} as record_key,
    list_name,
    case event_name when 'list_joined' then 'entered' else 'exited' end as change,
    occurred_at as changed_at,
    seq,
    row_no
from changes
where list_name is not null and node is not null
