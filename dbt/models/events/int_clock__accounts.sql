{{ config(materialized='table', tags=['clock']) }}

{#- What is due because of what she has with the shop.
    A standing order that stays off: three days of the calendar, where she is, after a partner said that it was switched off
    it was neither resumed nor set up anew. Switched off again without having run is the same time off. Looked at is what
    partners told of standing orders in the weeks that are not past.
    Software that ends: at midnight, where she is, one month of the calendar before the day on which it does.
    Store credit: at midnight of the 1st, where she is, when what she had by then is more than nothing. Looked at are all
    who have some when a month begins, and those with news.
    Of what a partner told of itself nothing is derived. -#}
{%- set a_day = "interval '1 day'" -%}
{%- set recovery_after = "interval '3 days'" -%}
{%- set past_after = "interval '35 days'" -%}
{%- set time_zone = "coalesce(customers.time_zone, '" ~ var('time_zone') ~ "')" -%}

with

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

told as (

    {#- a month, or the weeks in which what was due is not past, and a day more: it is another day elsewhere -#}
    select
        source,
        event_name,
        occurred_at,
        seq,
        row_no,
        node,
        {{ key64('node') }} as record_key,
        store_id,
        reason,
        amount,
        {{ json_text('properties', ['auto_order_id']) }} as auto_order_id,
        {{ json_text('properties', ['expires_on']) }} as expires_on
    from {{ ref('int_events__partners') }}
    where event_name in (
        'auto_order_disabled', 'auto_order_resumed', 'auto_order_subscribed', 'auto_order_disable_recovery',
        'software_expiring', 'store_credit_statement'
    )
        and occurred_at > {{ as_of() }} - {{ recovery_after }} - {{ past_after }} - {{ a_day }}

),

running as (

    select
        source,
        auto_order_id,
        max(occurred_at) as last_at
    from told
    where event_name in ('auto_order_resumed', 'auto_order_subscribed')
    group by source, auto_order_id

),

off as (

    select
        told.*,
        row_number() over (
            partition by told.source, told.auto_order_id order by told.occurred_at, told.seq, told.row_no
        ) as place
    from told
    left join running on told.source = running.source and told.auto_order_id = running.auto_order_id
    where told.event_name = 'auto_order_disabled'
        and told.auto_order_id <> ''
        and told.node is not null
        and (running.last_at is null or told.occurred_at > running.last_at)

),

stays_off as (

    select
        off.*,
        {{ utc_time(local_time('off.occurred_at', time_zone) ~ ' + ' ~ recovery_after, time_zone) }} as due_at
    from off
    left join map on off.record_key = map.record_key
    left join customers on map.customer_id = customers.customer_id
    where off.place = 1
        and not exists (
            select 1 from told as recovery
            where recovery.event_name = 'auto_order_disable_recovery'
                and recovery.source = off.source
                and recovery.auto_order_id = off.auto_order_id
                and recovery.occurred_at >= off.occurred_at
        )

),

properties as (

    select
        facts.*,
        coalesce(map.customer_id, facts.node) as who
    from {{ ref('int_customer_properties') }} as facts
    left join map on facts.record_key = map.record_key
    where facts.property in ('software_expires_on', 'software_name', 'store_credit')

),

touched as (

    select who from properties
    where property in ('software_expires_on', 'software_name')
        or {{ changed_since('properties.changed_build_no') }}
        -- the month begins sooner and later elsewhere
        or date_trunc('month', {{ as_of() }} + {{ a_day }}) >= {{ last_as_of() }} - {{ a_day }}

),

hers as (

    {#- of each property the newest word of any of her records; the event is of the same record, whoever spoke last -#}
    select
        properties.*,
        min(properties.node) over (partition by properties.who, properties.property) as first_node,
        row_number() over (
            partition by properties.who, properties.property order by properties.said_at desc, properties.node
        ) as recency
    from properties
    where properties.who in (select touched.who from touched)

),

accounts as (

    select
        hers.who,
        {{ time_zone }} as time_zone,
        min(case when property = 'software_expires_on' then first_node end) as software_node,
        max(case when property = 'software_name' then value end) as software_name,
        max(case when property = 'software_expires_on' then {{ text_as('substr(value, 1, 10)', 'date') }} end)
            as expires_on,
        min(case when property = 'store_credit' then first_node end) as credit_node,
        max(case when property = 'store_credit' then {{ text_as('value', 'decimal(18, 2)') }} end) as store_credit,
        max(case when property = 'store_credit' then said_at end) as credit_said_at
    from hers
    left join customers on hers.who = customers.customer_id
    where hers.recency = 1
    group by hers.who, customers.time_zone

),

dated as (

    select
        accounts.*,
        cast({{ local_time(as_of(), 'time_zone') }} as date) as today,
        {{ utc_time("cast(expires_on as timestamp) - interval '1 month'", 'time_zone') }} as expiring_at,
        {{ utc_time("date_trunc('month', " ~ local_time(as_of(), 'time_zone') ~ ")", 'time_zone') }} as month_began_at
    from accounts

),

told_by_partners as (

    select
        coalesce(map.customer_id, told.node) as who,
        told.event_name,
        told.expires_on,
        told.occurred_at
    from told
    left join map on told.record_key = map.record_key
    where told.event_name in ('software_expiring', 'store_credit_statement')

)

select
    'auto_order_disable_recovery' as event_name,
    'auto_order:' || source || ':' || auto_order_id as subject,
    occurred_at as since,
    due_at as occurred_at,
    node,
    store_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    amount,
    {{ json_object({
        'auto_order_id': 'auto_order_id', 'disabled_at': iso_utc('occurred_at'), 'reason': 'reason',
    }) }} as properties
from stays_off
where due_at <= {{ as_of() }} and due_at > {{ as_of() }} - {{ past_after }}

union all

select
    'software_expiring',
    'software:' || software_node || ':' || cast(expires_on as varchar),
    null,
    expiring_at,
    software_node,
    null, null, null, null,
    {{ json_object({'software_name': 'software_name', 'expires_on': 'cast(expires_on as varchar)'}) }}
from dated
where expiring_at <= {{ as_of() }}
    -- what has ended does not end soon
    and expires_on >= today
    and not exists (
        select 1 from told_by_partners
        where told_by_partners.event_name = 'software_expiring'
            and told_by_partners.who = dated.who
            and substr(told_by_partners.expires_on, 1, 10) = cast(dated.expires_on as varchar)
    )

union all

select
    'store_credit_statement',
    'store_credit:' || credit_node || ':' || substr(cast(today as varchar), 1, 7),
    null,
    month_began_at,
    credit_node,
    null, null, null,
    cast(store_credit as decimal(18, 2)),
    {{ json_object({'balance': 'store_credit', 'month': "substr(cast(today as varchar), 1, 7)"}) }}
from dated
where store_credit > 0
    -- what was told of it since the month began is of the next
    and credit_said_at <= month_began_at
    and not exists (
        select 1 from told_by_partners
        where told_by_partners.event_name = 'store_credit_statement'
            and told_by_partners.who = dated.who
            and told_by_partners.occurred_at >= dated.month_began_at
    )
