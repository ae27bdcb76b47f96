{{ config(materialized='incremental', incremental_strategy='append') }}

{#- What is known about the wish of an address, in the order of arrival. A till's booleans carry no time: they are
    evidence when first seen and when they flip, dated then; a first `false` says nothing. -#}
with

flowhub_customers as (

    select * from {{ ref('stg_flowhub__customers') }}
    where {{ is_news() }}

),

partner_events as (

    select
        *,
        lower({{ json_text('properties', ['channel']) }}) as told_channel,
        -- the one event says in its name what the other says in its status
        case event_name
            when 'marketing_opted_in' then 'opted_in' else lower({{ json_text('properties', ['status']) }})
        end as told_status
    from {{ ref('stg_partners__events') }}
    where {{ is_news() }} and event_name in ('customer_optin_status_changed', 'marketing_opted_in')

),

shopify_webhooks as (

    select * from {{ ref('stg_shopify__webhooks') }}
    where {{ is_news() }}

),

feedback as (

    select * from {{ ref('stg_messaging__feedback') }}
    where {{ is_news() }}

),

erased_addresses as (

    select * from {{ ref('int_identity__erased_addresses') }}
    where {{ is_news() }}

)

select
    seq, row_no, 'email' as channel, email as address,
    case when email_opt_in then 'opted_in' else 'opted_out' end as status,
    case when email_opt_in then 'till' else 'till_flip' end as basis,
    'flowhub' as source, received_at as occurred_at
from flowhub_customers
where email is not null
    and (
        (email_opt_in and (previous_email_opt_in is not true or previous_email is distinct from email))
        or (not email_opt_in and previous_email_opt_in and previous_email = email)
    )

union all

select
    seq, row_no, 'sms', phone,
    case when sms_opt_in then 'opted_in' else 'opted_out' end,
    case when sms_opt_in then 'till' else 'till_flip' end,
    'flowhub', received_at
from flowhub_customers
where phone is not null
    and (
        (sms_opt_in and (previous_sms_opt_in is not true or previous_phone is distinct from phone))
        or (not sms_opt_in and previous_sms_opt_in and previous_phone = phone)
    )

union all

select
    seq, row_no,
    told_channel,
    case told_channel
        when 'sms' then coalesce({{ clean_phone(json_text('properties', ['address'])) }}, phone)
        else coalesce({{ clean_email(json_text('properties', ['address'])) }}, email)
    end,
    told_status,
    case told_status when 'opted_in' then 'explicit' else 'stop' end,
    'partners', least(occurred_at, received_at)
from partner_events
where told_channel in ('sms', 'email') and told_status in ('opted_in', 'opted_out')

union all

select
    seq, row_no, 'email', email,
    case when email_consent_state = 'subscribed' then 'opted_in' else 'opted_out' end,
    case when email_consent_state = 'subscribed' then 'explicit' else 'stop' end,
    'shopify', least(occurred_at, received_at)
from shopify_webhooks
where topic = 'customers_email_marketing_consent/update'
    and email is not null
    and email_consent_state in ('subscribed', 'unsubscribed')

union all

select
    seq, row_no, 'sms', phone,
    case when sms_consent_state = 'subscribed' then 'opted_in' else 'opted_out' end,
    case when sms_consent_state = 'subscribed' then 'explicit' else 'stop' end,
    'shopify', least(occurred_at, received_at)
from shopify_webhooks
where topic = 'customers_marketing_consent/update'
    and phone is not null
    and sms_consent_state in ('subscribed', 'unsubscribed')

union all

select
    seq, row_no, channel, address,
    'opted_out', 'stop',
    'messaging', least(occurred_at, received_at)
from feedback
where feedback_type in ('stop', 'unsubscribed', 'complained', 'bounced')

union all

select
    seq, row_no, channel, address,
    'opted_out', 'erasure',
    'perennial', erased_at
from erased_addresses
