{#- When messages may be sent, place by place, on the days around the moment. A place is a state with one of its time
    zones: a person may have several. Only seeds and the moment's instant are read, so this costs the same for anyone. -#}
with

places as (

    select state, time_zone from {{ ref('states') }}
    union
    select state, time_zone from {{ ref('area_codes') }}
    union
    -- where nothing is known of a person
    select '*', '{{ var("time_zone") }}'

),

todays as (

    select
        places.*,
        cast({{ local_time(as_of(), 'places.time_zone') }} as date) as today
    from places

),

days as (

    -- a night may have begun yesterday; a rule may close the next morning
    {%- for offset in range(-1, 4) %}
    select state, time_zone, today + {{ offset }} as local_date from todays
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

rules as (

    select
        days.state,
        days.time_zone,
        days.local_date,
        quiet_hours.opens_at,
        quiet_hours.closes_at,
        quiet_hours.covers_transactional,
        -- a state's own rule before everybody's, the newest of it, and of that the one for the day of the week
        row_number() over (
            partition by days.state, days.time_zone, days.local_date
            order by
                case when quiet_hours.state = '*' then 1 else 0 end,
                quiet_hours.valid_from desc,
                case when quiet_hours.weekday is null then 1 else 0 end
        ) as precedence
    from days
    inner join {{ ref('quiet_hours') }} as quiet_hours
        on days.local_date >= quiet_hours.valid_from
            and (days.state = quiet_hours.state or quiet_hours.state = '*')
            and (extract(isodow from days.local_date) = quiet_hours.weekday or quiet_hours.weekday is null)

)

select
    state || ' ' || time_zone as place,
    state,
    time_zone,
    local_date,
    {{ utc_time('local_date + cast(opens_at as time)', 'time_zone') }} as opens_at,
    {{ utc_time('local_date + cast(closes_at as time)', 'time_zone') }} as closes_at,
    covers_transactional
from rules
where precedence = 1
