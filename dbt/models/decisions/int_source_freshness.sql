{{ config(materialized='incremental', incremental_strategy='merge', unique_key='source') }}

{#- When each source last landed anything that this moment may read: how fresh the decisions' inputs are. Cost follows
    the news. -#}
with

news as (

    {%- for model_name in judging_models() if not model_name.startswith('base_perennial') %}
    select
        split_part(landed_stream, '/', 1) as source,
        received_at
    from {{ ref(model_name) }}
    where {{ is_news() }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    news.source,
    {% if is_incremental() -%}
    greatest(max(news.received_at), max(known.last_received_at)) as last_received_at
    {%- else -%}
    max(news.received_at) as last_received_at
    {%- endif %}
from news
{%- if is_incremental() %}
left join {{ this }} as known on news.source = known.source
{%- endif %}
group by news.source
