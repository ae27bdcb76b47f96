{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['event_name', 'source']) }}

with

news as (

    select
        event_name,
        source,
        count(*) as events,
        min(received_at) as first_received_at,
        max(received_at) as last_received_at
    from {{ ref('int_events') }}
    where {{ is_news() }}
    group by event_name, source

)

select
    news.event_name,
    news.source,
    {% if is_incremental() -%}
    coalesce(known.events, 0) + news.events as events,
    least(known.first_received_at, news.first_received_at) as first_received_at,
    greatest(known.last_received_at, news.last_received_at) as last_received_at
from news
left join {{ this }} as known
    on news.event_name = known.event_name and news.source = known.source
    {%- else -%}
    news.events,
    news.first_received_at,
    news.last_received_at
from news
    {%- endif %}
