{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['channel', 'address']) }}

with

evidence as (

    select * from {{ ref('int_identity__consent_evidence') }}
    where address is not null

),

touched as (

    select distinct channel, address from evidence
    where {{ is_news() }}

),

relevant as (

    select
        evidence.*,
        -- a stop holds until the address itself opts in again, and so does an erasure; a till lifts neither
        max(case when basis in ('stop', 'erasure') then occurred_at end)
            over (partition by evidence.channel, evidence.address) as stopped_at,
        max(case when basis = 'explicit' then occurred_at end)
            over (partition by evidence.channel, evidence.address) as opted_in_at
    from evidence
    inner join touched
        on evidence.channel = touched.channel and evidence.address = touched.address

),

standing as (

    select
        *,
        stopped_at is not null and coalesce(opted_in_at <= stopped_at, true) as is_stopped
    from relevant

),

ranked as (

    select
        *,
        row_number() over (
            partition by channel, address
            order by
                case when is_stopped and basis not in ('stop', 'erasure') then 1 else 0 end,
                case when stopped_at is not null and not is_stopped and occurred_at < opted_in_at then 1 else 0 end,
                occurred_at desc, seq desc, row_no desc
        ) as recency
    from standing

)

select
    channel,
    address,
    status,
    occurred_at as changed_at,
    basis,
    source,
    {{ build_no() }} as changed_build_no
from ranked
where recency = 1
