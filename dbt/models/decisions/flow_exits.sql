{{ config(materialized='incremental', incremental_strategy='append') }}

{#- The end of an enrollment: once, with the first reason. Only enrollments of the last days can still be open. -#}
{%- if var('restore') %}

{{ landed_columns('decisions', {
    'enrollment_id': 'varchar', 'flow_name': 'varchar', 'exited_at': 'timestamp', 'reason': 'varchar',
    'build_no': 'bigint'
}, kind='exit') }}

{%- else %}

with

enrollments as (

    select
        decisions.*,
        coalesce(map.customer_id, decisions.customer_id) as person_id
    from {{ ref('int_flow_decisions') }} as decisions
    left join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    where decisions.outcome = 'enrolled'
        and decisions.mode = 'live'
        and decisions.expires_at >= {{ last_as_of() }}
        {%- if is_incremental() %}
        and decisions.decision_id not in (select enrollment_id from {{ this }})
        {%- endif %}

),

carts as (

    select * from {{ ref('int_carts') }}

),

orders as (

    select
        map.customer_id,
        max(orders.created_at) as last_order_at
    from {{ ref('int_orders') }} as orders
    inner join {{ ref('int_identity__map') }} as map on orders.record_key = map.record_key
    where orders.created_at >= {{ last_as_of() }} - interval '35 days'
        and orders.status not in ('canceled', 'refunded')
    group by map.customer_id

),

ended as (

    select
        enrollments.decision_id as enrollment_id,
        enrollments.flow_name,
        case
            when carts.canceled_at is not null then 'canceled'
            when enrollments.flow_kind = 'marketing' and carts.ordered_at is not null then 'purchased'
            when enrollments.flow_kind = 'marketing' and orders.last_order_at > enrollments.decided_at then 'purchased'
            -- whoever heard it: a till that flips to no ends what is open, like a stop
            when enrollments.flow_kind = 'marketing'
                and (enrollments.recipient_email is null or email_consent.status = 'opted_out')
                and (enrollments.recipient_phone is null or sms_consent.status = 'opted_out')
                then 'opted_out'
        end as reason
    from enrollments
    left join carts on enrollments.object_type = 'cart' and enrollments.object_id = carts.cart_id
    left join orders on enrollments.person_id = orders.customer_id
    left join {{ ref('address_consent') }} as email_consent
        on enrollments.recipient_email = email_consent.address and email_consent.channel = 'email'
    left join {{ ref('address_consent') }} as sms_consent
        on enrollments.recipient_phone = sms_consent.address and sms_consent.channel = 'sms'

)

select
    enrollment_id,
    flow_name,
    {{ as_of() }} as exited_at,
    reason,
    cast({{ build_no() }} as bigint) as build_no
from ended
where reason is not null

{%- endif %}
