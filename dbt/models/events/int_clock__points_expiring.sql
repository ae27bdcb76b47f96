{{ config(materialized='table', tags=['clock']) }}

{#- Points that expire within POINTS_EXPIRING_DAYS, counted in days of the calendar where the member is, and of which
    OMNI has not sent its own notice. Looked at are the expiries of those days, so that a longer notice misses nobody.
    -#}
{%- set notice = "interval '" ~ (var('points_expiring_days') | int) ~ " days'" -%}

with

expiries as (

    {#- a day more than the notice: it is another day elsewhere -#}
    select * from {{ ref('int_points_expiries') }}
    where expires_at > {{ as_of() }}
        and expires_at <= {{ as_of() }} + {{ notice }} + interval '1 day'

),

accounts as (

    select * from {{ ref('int_loyalty_accounts') }}

),

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

placed as (

    select
        expiries.*,
        -- no more than she has can be lost
        least(expiries.points_added, accounts.points_balance) as points,
        coalesce(customers.time_zone, '{{ var("time_zone") }}') as time_zone,
        -- whichever of her records the notice named
        max(expiries.noticed_at) over (
            partition by coalesce(map.customer_id, expiries.node), expiries.expires_on
        ) as her_noticed_at
    from expiries
    left join accounts on expiries.record_key = accounts.record_key
    left join map on expiries.record_key = map.record_key
    left join customers on map.customer_id = customers.customer_id

),

dated as (

    select
        placed.*,
        {{ utc_time(local_time('expires_at', 'time_zone') ~ ' - ' ~ notice, 'time_zone') }} as expiring_at
    from placed
    where points > 0 and her_noticed_at is null

)

select
    'points_expiring' as event_name,
    'points:' || node || ':' || cast(expires_on as varchar) as subject,
    cast(null as timestamp) as since,
    expiring_at as occurred_at,
    node,
    cast(null as varchar) as store_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    cast(points as decimal(18, 2)) as amount,
    {{ json_object({'expired_at': iso_utc('expires_at'), 'value': 'points'}) }} as properties
from dated
where expiring_at <= {{ as_of() }}
