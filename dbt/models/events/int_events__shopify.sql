{#- What Shopify says of its customers: made, changed, tagged, merged, and the consent of an address. A merge that
    failed joined nobody; a consent that is neither given nor taken back is no change. No event carries an address. -#}
with

webhooks as (

    select * from {{ ref('stg_shopify__webhooks') }}

),

named as (

    select
        webhooks.*,
        case topic
            when 'customers/create' then 'customer_created'
            when 'customers/update' then 'customer_updated'
            when 'customers/merge' then 'customer_merged'
            when 'customers_email_marketing_consent/update' then 'customer_optin_status_changed'
            when 'customers_marketing_consent/update' then 'customer_optin_status_changed'
            when 'customer.tags_added' then 'customer_updated'
            when 'customer.tags_removed' then 'customer_updated'
        end as event_name,
        -- all of her tags, or those that came or went
        case topic
            when 'customer.tags_added' then 'tags_added'
            when 'customer.tags_removed' then 'tags_removed'
            else 'tags'
        end as tags_key,
        case topic
            when 'customers_email_marketing_consent/update' then 'email'
            when 'customers_marketing_consent/update' then 'sms'
        end as channel,
        case
            case topic
                when 'customers_email_marketing_consent/update' then email_consent_state
                when 'customers_marketing_consent/update' then sms_consent_state
            end
            when 'subscribed' then 'opted_in'
            when 'unsubscribed' then 'opted_out'
        end as consent_status
    from webhooks
    where coalesce(merge_status, '') <> 'failed'

)

select
    {{ event_id(["'shopify'", 'event_name', 'source_key']) }} as event_id,
    event_name,
    'shopify' as source,
    coalesce(case when event_name = 'customer_created' then created_at end, occurred_at) as occurred_at,
    received_at,
    seq,
    row_no,
    {{ node_of('shopify_customer', 'shopify_customer_id') }} as node,
    cast(null as varchar) as store_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    consent_status as status,
    cast(null as varchar) as tier,
    cast(null as varchar) as reward_type,
    channel as reason,
    cast(null as decimal(18, 2)) as amount,
    case event_name
        when 'customer_optin_status_changed' then {{ json_object({
            'channel': 'channel', 'status': 'consent_status', 'basis': "'shopify'",
        }) }}
        when 'customer_merged' then {{ json_object({
            'source_customer_id': 'deleted_shopify_customer_id', 'destination_customer_id': 'shopify_customer_id',
        }) }}
        else case when tags is null then '{}' else '{"' || tags_key || '":' || tags || '}' end
    end as properties
from named
where event_name is not null
    and (event_name <> 'customer_optin_status_changed' or consent_status is not null)
