{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='enrollment_id', tags=['scheduled'],
) }}

{#- What became of each enrollment on each of its channels. An order is brought by the last marketing message that she
    got on the channel, if it came within the flow's conversion window: no order counts for two enrollments on one
    channel. Cost follows the news: all enrollments of the people about whom anything was decided, answered, reported or
    ordered since, for a new message takes over what an earlier one would have been given. -#}
with

enrollments as (

    select
        decisions.decision_id,
        {{ present_name_of('decisions.flow_name') }} as flow_name,
        decisions.flow_kind,
        decisions.channels,
        decisions.decided_at,
        decisions.build_no,
        coalesce(map.customer_id, decisions.customer_id) as customer_id
    from {{ ref('int_flow_decisions') }} as decisions
    left join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    where decisions.outcome = 'enrolled'
        and decisions.mode = 'live'

),

feedback as (

    select * from {{ ref('stg_messaging__feedback') }}
    where enrollment_id is not null

),

orders as (

    select
        map.customer_id,
        orders.order_id,
        orders.created_at,
        orders.total,
        orders.status,
        orders.changed_build_no,
        {{ is_counted_order('orders') }} as is_counted
    from {{ ref('int_orders') }} as orders
    inner join {{ ref('int_identity__map') }} as map on orders.record_key = map.record_key

),

touched as (

    select customer_id from enrollments where {{ changed_since('build_no') }}
    union
    select enrollments.customer_id
    from enrollments
    inner join {{ ref('stg_perennial__receipts') }} as receipts on enrollments.decision_id = receipts.enrollment_id
    where {{ is_news('receipts.seq') }}
    union
    select enrollments.customer_id
    from enrollments
    inner join feedback on enrollments.decision_id = feedback.enrollment_id
    where {{ is_news('feedback.seq') }}
    union
    select customer_id from orders where {{ changed_since() }}
    union
    -- the order that the point of sale made of a cart's may be another record's
    select jane.customer_id
    from orders
    inner join {{ ref('int_orders') }} as elder on orders.order_id = elder.pos_order_id
    inner join orders as jane on elder.order_id = jane.order_id
    where {{ changed_since('orders.changed_build_no') }}
    union
    select customer_id from {{ ref('int_identity__map') }} where {{ changed_since() }}
    {%- if var('deploying') %}
    union
    select customer_id from enrollments
    {%- endif %}

),

hers as (

    select
        enrollments.*,
        receipts.accepted_at,
        {{ add_seconds('receipts.accepted_at', conversion_seconds('flow_settings')) }} as converts_until
    from enrollments
    left join {{ ref('activation_receipts') }} as receipts on enrollments.decision_id = receipts.enrollment_id
    left join {{ source('ops', 'flow_settings') }} as flow_settings on enrollments.flow_name = flow_settings.flow_name
    where enrollments.customer_id in (select customer_id from touched)

),

by_channel as (

    {%- for channel in ['sms', 'email'] %}
    select
        *,
        '{{ channel }}' as channel
    from hers
    where ',' || channels || ',' like '%,{{ channel }},%'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

reported as (

    {#- a report that names no channel is about each of the enrollment's -#}
    select
        by_channel.decision_id,
        by_channel.channel,
        bool_or(feedback.feedback_type in ('delivered', 'opened', 'clicked')) as is_delivered,
        bool_or(feedback.feedback_type in ('opened', 'clicked')) as is_opened,
        bool_or(feedback.feedback_type = 'clicked') as is_clicked,
        bool_or(feedback.feedback_type = 'bounced') as is_bounced,
        bool_or(feedback.feedback_type in ('unsubscribed', 'stop', 'complained')) as is_unsubscribed
    from by_channel
    inner join feedback
        on by_channel.decision_id = feedback.enrollment_id
            and by_channel.channel = coalesce(feedback.channel, by_channel.channel)
    group by by_channel.decision_id, by_channel.channel

),

brought as (

    select
        by_channel.decision_id,
        by_channel.channel,
        orders.total,
        row_number() over (
            partition by orders.order_id, by_channel.channel
            order by by_channel.accepted_at desc, by_channel.decision_id desc
        ) as touch_no
    from by_channel
    inner join orders
        on by_channel.customer_id = orders.customer_id
            and by_channel.accepted_at < orders.created_at
            and by_channel.converts_until >= orders.created_at
    where by_channel.flow_kind = 'marketing'
        and orders.is_counted
        and orders.status not in ('canceled', 'refunded')

),

conversions as (

    select
        decision_id,
        channel,
        count(*) as order_count,
        sum(total) as revenue
    from brought
    where touch_no = 1
    group by decision_id, channel

)

select
    by_channel.decision_id as enrollment_id,
    by_channel.channel,
    by_channel.flow_name,
    by_channel.customer_id,
    by_channel.decided_at,
    by_channel.accepted_at,
    coalesce(reported.is_delivered, false) as is_delivered,
    coalesce(reported.is_opened, false) as is_opened,
    coalesce(reported.is_clicked, false) as is_clicked,
    coalesce(reported.is_bounced, false) as is_bounced,
    coalesce(reported.is_unsubscribed, false) as is_unsubscribed,
    cast(coalesce(conversions.order_count, 0) as integer) as order_count,
    cast(coalesce(conversions.revenue, 0) as decimal(18, 2)) as revenue,
    {{ build_no() }} as changed_build_no
from by_channel
left join reported on by_channel.decision_id = reported.decision_id and by_channel.channel = reported.channel
left join conversions on by_channel.decision_id = conversions.decision_id and by_channel.channel = conversions.channel
