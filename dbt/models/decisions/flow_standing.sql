{{ config(tags=['scheduled']) }}

{#- How each person stands with each flow as of this moment, without a trigger: the gates that look at the person alone,
    in the same words as for a candidate. A view: readers ask it for one person. -#}
with

flows as (

    select * from {{ ref('flow_catalogue') }}
    where status <> 'archived'

),

customers as (

    select * from {{ ref('dim_customers') }}

),

age_rules as (

    select * from {{ ref('age_rules') }}

),

people as (

    select
        flows.flow_name,
        flows.kind,
        flows.channels as flow_channels,
        flows.email_unless_opted_out,
        flows.programme as flow_programme,
        customers.customer_id,
        customers.email,
        customers.phone,
        customers.birth_date,
        customers.programme,
        customers.email_consent,
        customers.sms_consent,
        customers.is_email_suppressed,
        customers.is_sms_suppressed,
        customers.has_conflict,
        coalesce(customers.state, '*') as state,
        customers.time_zone,
        -- nothing has triggered: there is no occasion that could be over, and no condition of it
        false as is_superseded,
        true as is_first_seen,
        {{ as_of() }} as window_ends_at,
        cast(null as varchar) as failed_filter
    from customers
    cross join flows

),

reached as (

    {{ reach_of('people') }}

)

select
    flow_name,
    customer_id,
    {{ first_failed_gate() }} as reason,
    {{ json_object({
        'channels': 'flow_channels', 'email_consent': 'email_consent', 'sms_consent': 'sms_consent',
        'is_email_suppressed': 'is_email_suppressed', 'is_sms_suppressed': 'is_sms_suppressed',
        'has_conflict': 'has_conflict', 'birth_year': 'extract(year from birth_date)', 'minimum_age': 'minimum_age',
        'programme': 'programme', 'flow_programme': 'flow_programme', 'state': 'state',
    }) }} as detail
from reached
