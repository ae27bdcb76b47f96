{{ config(materialized='incremental', incremental_strategy='append') }}

{#- That a message went to an address says once that there is such an address, however many follow: only its first
    report is looked at as evidence. Cost follows the news; the past is asked by a column of eight bytes. -#}
with

news as (

    select
        *,
        {{ key64('node') }} as record_key,
        row_number() over (partition by node order by seq, row_no) as report_no
    from {{ ref('int_identity__message_subjects') }}
    where {{ is_news() }}
        and not is_of_enrollment
        and channel in ('sms', 'email')
        and address is not null

){% if is_incremental() %},

known as (

    {{ known_keys('record_key', 'select record_key from news') }}

){% endif %}

select
    news.seq,
    news.row_no,
    news.received_at as seen_at,
    news.node,
    news.record_key,
    case news.channel when 'email' then news.address end as email,
    case news.channel when 'sms' then news.address end as phone
from news
{%- if is_incremental() %}
left join known on news.record_key = known.record_key
{%- endif %}
where news.report_no = 1
{%- if is_incremental() %}
    and known.record_key is null
{%- endif %}
