{{ config(materialized='table', tags=['clock']) }}

{#- People whose birth month runs: since the midnight of its 1st, or, where the month was captured after that, since the
    next midnight; each by the clock where she is. A month captured on its last day has no next day in it, so nothing
    happens that year. Looked at are those whose month began, or was captured, since the moment before, and those with
    news. -#}
{%- set a_day = "interval '1 day'" -%}

with

birth_months as (

    select * from {{ ref('int_birth_months') }}

),

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

touched as (

    {#- a day more on each side than the clock moved: it is another day elsewhere -#}
    select map.customer_id
    from birth_months
    inner join map on birth_months.record_key = map.record_key
    where {{ changed_since('birth_months.changed_build_no') }}
        or birth_months.captured_at >= {{ last_as_of() }} - 2 * {{ a_day }}
        or (
            birth_months.birth_month = extract(month from {{ as_of() }} + {{ a_day }})
            and date_trunc('month', {{ as_of() }} + {{ a_day }}) >= {{ last_as_of() }} - {{ a_day }}
        )

),

hers as (

    {#- where her records differ the till's word counts, which has seen a document -#}
    select
        map.customer_id,
        birth_months.*,
        first_value(birth_months.birth_month) over (
            partition by map.customer_id
            order by
                case when birth_months.node like 'flowhub_customer:%' then 0 else 1 end,
                birth_months.captured_at, birth_months.record_key
        ) as her_birth_month
    from birth_months
    inner join map on birth_months.record_key = map.record_key
    where map.customer_id in (select customer_id from touched)

),

firsts as (

    select
        hers.*,
        coalesce(customers.time_zone, '{{ var("time_zone") }}') as time_zone,
        row_number() over (partition by hers.customer_id order by hers.captured_at, hers.record_key) as place
    from hers
    left join customers on hers.customer_id = customers.customer_id
    where hers.birth_month = hers.her_birth_month

),

months as (

    select
        firsts.*,
        cast(date_trunc('month', {{ local_time(as_of(), 'firsts.time_zone') }}) as timestamp) as month_began,
        cast({{ local_time('firsts.captured_at', 'firsts.time_zone') }} as date) as captured_on
    from firsts
    where place = 1

),

entered as (

    select
        months.*,
        case
            when captured_at < {{ utc_time('month_began', 'time_zone') }}
                then {{ utc_time('month_began', 'time_zone') }}
            else {{ utc_time("cast(captured_on as timestamp) + " ~ a_day, 'time_zone') }}
        end as entered_at
    from months
    where birth_month = extract(month from month_began)

)

select
    'birth_month_entered' as event_name,
    'birth_month:' || node || ':' || substr(cast(month_began as varchar), 1, 7) as subject,
    cast(null as timestamp) as since,
    entered_at as occurred_at,
    node,
    cast(null as varchar) as store_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    cast(null as decimal(18, 2)) as amount,
    {{ json_object({
        'birth_month': 'birth_month', 'month': 'substr(cast(month_began as varchar), 1, 7)',
        'captured_at': iso_utc('captured_at'),
    }) }} as properties
from entered
where entered_at <= {{ as_of() }}
