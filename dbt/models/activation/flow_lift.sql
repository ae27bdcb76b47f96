{{ config(materialized='table', tags=['scheduled']) }}

{#- Both arms have passed the same gates and are asked the same: did she order in the flow's conversion window, counted
    from the flow's first decision about her, message or none? Whoever was decided while nobody was held out has nobody to
    be compared with, and whose window is still open may yet order: both stay out. Costs a look at the flows' arms and the
    orders of their people; no decision waits for it. -#}
{%- set arms = ['treated', 'held_out'] -%}
with

arms as (

    select * from {{ ref('int_flow_arms') }}

),

periods as (

    select
        flow_name,
        min(first_decided_at) as compared_since,
        max(first_decided_at) as compared_until
    from arms
    where arm = 'control'
    group by flow_name

),

people as (

    select
        arms.flow_name,
        arms.customer_id,
        case arms.arm when 'message' then 'treated' when 'control' then 'held_out' end as arm,
        arms.first_decided_at,
        {{ add_seconds('arms.first_decided_at', conversion_seconds('flow_settings')) }} as window_ends_at,
        coalesce(
            arms.first_decided_at between periods.compared_since and periods.compared_until, false
        ) as is_in_period
    from arms
    left join periods on arms.flow_name = periods.flow_name
    left join {{ source('ops', 'flow_settings') }} as flow_settings on arms.flow_name = flow_settings.flow_name

),

compared as (

    select * from people
    where arm is not null
        and is_in_period
        and window_ends_at <= {{ as_of() }}

),

purchases as (

    select
        compared.flow_name,
        compared.customer_id,
        sum(orders.total) as revenue
    from compared
    inner join {{ ref('int_identity__map') }} as map on compared.customer_id = map.customer_id
    inner join {{ ref('int_orders') }} as orders on map.record_key = orders.record_key
    where orders.created_at > compared.first_decided_at
        and orders.created_at <= compared.window_ends_at
        and orders.status not in ('canceled', 'refunded')
        and {{ is_counted_order('orders') }}
    group by compared.flow_name, compared.customer_id

),

totals as (

    select
        compared.flow_name
        {%- for arm in arms %},
        count(*) filter (where compared.arm = '{{ arm }}') as people_{{ arm }},
        count(purchases.customer_id) filter (where compared.arm = '{{ arm }}') as converted_{{ arm }},
        coalesce(sum(purchases.revenue) filter (where compared.arm = '{{ arm }}'), 0) as revenue_{{ arm }}
        {%- endfor %}
    from compared
    left join purchases
        on compared.flow_name = purchases.flow_name
            and compared.customer_id = purchases.customer_id
    group by compared.flow_name

),

left_out as (

    select
        flow_name,
        count(*) filter (where arm is null) as people_in_both,
        count(*) filter (where arm is not null and is_in_period and window_ends_at > {{ as_of() }}) as people_waiting
    from people
    group by flow_name

),

counted as (

    select
        left_out.flow_name,
        periods.compared_since,
        periods.compared_until,
        left_out.people_in_both,
        left_out.people_waiting
        {%- for arm in arms %}
        {%- for figure in ['people', 'converted', 'revenue'] %},
        coalesce(totals.{{ figure }}_{{ arm }}, 0) as {{ figure }}_{{ arm }}
        {%- endfor %}
        {%- endfor %}
    from left_out
    left join periods on left_out.flow_name = periods.flow_name
    left join totals on left_out.flow_name = totals.flow_name

),

shares as (

    select
        *,
        least(people_treated, people_held_out) >= {{ var('lift_min_people') }} as is_enough
        {%- for arm in arms %},
        cast(converted_{{ arm }} as double precision) / nullif(people_{{ arm }}, 0) as rate_{{ arm }},
        {{ wilson_bound('converted_' ~ arm, 'people_' ~ arm, '-') }} as rate_{{ arm }}_low,
        {{ wilson_bound('converted_' ~ arm, 'people_' ~ arm, '+') }} as rate_{{ arm }}_high
        {%- endfor %}
    from counted

),

measured as (

    select
        *,
        rate_treated - rate_held_out as lift,
        case when is_enough then {{ difference_bound('rate_treated', 'rate_held_out', '-') }} end as lift_low,
        case when is_enough then {{ difference_bound('rate_treated', 'rate_held_out', '+') }} end as lift_high
    from shares

)

select
    flow_name,
    compared_since,
    compared_until,
    cast(people_treated as integer) as people_treated,
    cast(people_held_out as integer) as people_held_out,
    cast(people_in_both as integer) as people_in_both,
    cast(people_waiting as integer) as people_waiting,
    cast(converted_treated as integer) as converted_treated,
    cast(converted_held_out as integer) as converted_held_out,
    rate_treated as conversion_rate_treated,
    rate_held_out as conversion_rate_held_out,
    lift as lift_absolute,
    lift / nullif(rate_held_out, 0) as lift_relative,
    lift_low,
    lift_high,
    cast(revenue_treated / nullif(people_treated, 0) as decimal(18, 2)) as revenue_per_person_treated,
    cast(revenue_held_out / nullif(people_held_out, 0) as decimal(18, 2)) as revenue_per_person_held_out,
    case
        when compared_since is null then 'Nobody is held out, so nothing can be said: set holdout_percent.'
        when not is_enough
            then 'Too few people yet: ' || cast(people_treated as varchar) || ' with and '
            || cast(people_held_out as varchar) || ' without the message have had their time to buy; '
            || '{{ var("lift_min_people") }} of each are needed.'
        when lift_low > 0 then 'It brings purchases: ' || {{ points_told() }}
        when lift_high < 0 then 'It costs purchases: ' || {{ points_told() }}
        else 'No difference that chance would not explain: ' || {{ points_told() }}
    end as verdict
from measured
