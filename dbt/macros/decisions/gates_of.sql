{#- The candidates of a relation, each with the person that it is about and the first gate that it fails of those that need
    no earlier decision. `int_flow_gates` asks it of the moment's candidates. -#}
{% macro gates_of(candidates) -%}
with

candidates as (

    select * from {{ candidates }}

),

triggers as (

    select * from {{ ref('int_flow_triggers') }}

),

flow_settings as (

    select * from {{ source('ops', 'flow_settings') }}
    where status in ('active', 'dry_run')

),

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

age_rules as (

    select * from {{ ref('age_rules') }}

),

ended_orders as (

    select * from {{ ref('int_ended_orders') }}

),

place_hours as (

    select * from {{ ref('int_place_hours') }}

),

people as (

    select
        candidates.flow_name,
        candidates.trigger_key,
        candidates.trigger_event_id,
        candidates.triggered_at,
        candidates.node,
        candidates.record_key,
        candidates.entered_customer_id,
        candidates.object_type,
        candidates.object_id,
        candidates.is_first_seen,
        -- an order's end ends what is about the order; what tells of the end itself is about the end
        candidates.is_superseded or (
            ended_orders.object_id is not null
            and coalesce(triggers.event_name, '') not in ('order_canceled', 'order_refunded')
            and coalesce(triggers.status, '') not in ('cancelled', 'dismissed')
        ) as is_superseded,
        candidates.failed_filter,
        candidates.context,
        triggers.store_id,
        flow_settings.flow_version,
        flow_settings.status as flow_status,
        flow_settings.display_name,
        flow_settings.kind,
        flow_settings.window_seconds,
        flow_settings.channels as flow_channels,
        flow_settings.destination,
        flow_settings.reentry_days,
        flow_settings.concurrent,
        flow_settings.max_duration_seconds,
        flow_settings.holdout_percent,
        flow_settings.rank,
        flow_settings.grace_seconds,
        flow_settings.email_unless_opted_out,
        flow_settings.from_name,
        flow_settings.from_address,
        flow_settings.offer,
        flow_settings.utm_campaign,
        coalesce(flow_settings.programme, 'any') as flow_programme,
        customers.customer_id,
        customers.email,
        customers.phone,
        customers.flowhub_customer_id,
        customers.first_name,
        customers.birth_date,
        customers.programme,
        customers.email_consent,
        customers.sms_consent,
        customers.is_email_suppressed,
        customers.is_sms_suppressed,
        customers.has_conflict,
        coalesce(customers.state, '*') as state,
        coalesce(customers.time_zone, '{{ var("time_zone") }}') as time_zone,
        {{ add_seconds('candidates.triggered_at', 'flow_settings.window_seconds') }} as window_ends_at,
        md5(concat_ws(
            '|', candidates.flow_name, candidates.trigger_key, candidates.node,
            case when flow_settings.status = 'dry_run' then 'dry_run' end
        )) as decision_id
    from candidates
    inner join flow_settings on candidates.flow_name = flow_settings.flow_name
    left join triggers on candidates.trigger_event_id = triggers.trigger_event_id
    left join ended_orders
        on candidates.object_type = ended_orders.object_type and candidates.object_id = ended_orders.object_id
    left join map on candidates.record_key = map.record_key
    left join customers on map.customer_id = customers.customer_id
    where candidates.triggered_at >= flow_settings.active_since
        and triggers.is_recounted is not true

),

places as (

    {{ places_of('people') }}

),

hours as (

    {#- the hours that bind a message of this kind: what serves an order waits only where the state's rule says so, and
        on the days for which it does -#}
    select distinct
        people.customer_id,
        people.kind,
        place_hours.place,
        case
            when people.kind = 'marketing' or place_hours.covers_transactional then place_hours.opens_at
            else {{ utc_time('cast(place_hours.local_date as timestamp)', 'place_hours.time_zone') }}
        end as opens_at,
        case
            when people.kind = 'marketing' or place_hours.covers_transactional then place_hours.closes_at
            else {{ utc_time("place_hours.local_date + interval '1 day'", 'place_hours.time_zone') }}
        end as closes_at
    from people
    inner join places on people.customer_id = places.customer_id
    inner join place_hours on places.state = place_hours.state and places.time_zone = place_hours.time_zone
    where people.kind = 'marketing'
        or place_hours.place in (select covered.place from place_hours as covered where covered.covers_transactional)

),

bound as (

    select
        customer_id,
        kind,
        count(distinct place) as place_count,
        string_agg(distinct place, ', ' order by place) as places
    from hours
    group by customer_id, kind

),

instants as (

    {#- from when a message may be sent is now, or when a place opens -#}
    select customer_id, kind, {{ as_of() }} as instant from hours
    union
    select customer_id, kind, opens_at from hours where opens_at > {{ as_of() }}

),

open_instants as (

    {#- where she may be in several places, all of them must allow -#}
    select
        instants.customer_id,
        instants.kind,
        instants.instant
    from instants
    inner join hours
        on instants.customer_id = hours.customer_id
            and instants.kind = hours.kind
            and instants.instant >= hours.opens_at
            and instants.instant < hours.closes_at
    inner join bound on instants.customer_id = bound.customer_id and instants.kind = bound.kind
    group by instants.customer_id, instants.kind, instants.instant
    having count(distinct hours.place) = max(bound.place_count)

),

opening as (

    select customer_id, kind, min(instant) as not_before
    from open_instants
    group by customer_id, kind

),

reached as (

    {{ reach_of('people') }}

),

asked as (

    select
        reached.*,
        {{ first_failed_gate() }} as reason
    from reached

)

select
    asked.*,
    {{ may_be_cured('asked.reason') }} as is_curable,
    bound.places,
    case
        when bound.customer_id is null then {{ as_of() }}
        -- places that never allow at one time: not before it has expired
        else coalesce(opening.not_before, {{ as_of() }} + interval '4 days')
    end as not_before
from asked
left join bound on asked.customer_id = bound.customer_id and asked.kind = bound.kind
left join opening on asked.customer_id = opening.customer_id and asked.kind = opening.kind
{%- endmacro %}
