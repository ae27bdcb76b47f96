{{ config(materialized='table') }}

{#- What may turn between this moment's decision and its call. The push reads the log as it lands, before any build has
    read it, and knows nobody: it only compares these keys with those of landed records, and what it finds counts until a
    build has said in `flow_exits` what it means. So a key is here where that exit would be. Cost follows what this moment
    enrolled. -#}
with

enrolled as (

    select
        decisions.decision_id as enrollment_id,
        decisions.flow_kind,
        decisions.object_type,
        decisions.object_id,
        decisions.context,
        decisions.recipient_email,
        decisions.recipient_phone,
        coalesce(map.customer_id, decisions.customer_id) as customer_id,
        ',' || flow_settings.exits || ',' as exits
    from {{ ref('int_flow_decisions') }} as decisions
    left join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    left join {{ source('ops', 'flow_settings') }} as flow_settings
        on {{ present_name_of('decisions.flow_name') }} = flow_settings.flow_name
    where decisions.build_no = {{ build_no() }}
        and decisions.outcome = 'enrolled'
        and decisions.mode = 'live'

),

records as (

    {#- the records of hers that say themselves whose they are; a guest is known by a build alone -#}
    select enrolled.enrollment_id, map.node
    from enrolled
    inner join {{ ref('int_identity__map') }} as map on enrolled.customer_id = map.customer_id
    where map.node like 'flowhub_customer:%' or map.node like 'jane_user:%'

),

tills as (

    select
        enrolled.*,
        substr(records.node, length('flowhub_customer:') + 1) as flowhub_customer_id
    from records
    inner join enrolled on records.enrollment_id = enrolled.enrollment_id
    where enrolled.flow_kind = 'marketing' and records.node like 'flowhub_customer:%'

),

till_versions as (

    {#- what each of her tills said last -#}
    select
        flowhub_customer_id,
        email,
        phone,
        email_opt_in,
        sms_opt_in,
        row_number() over (partition by flowhub_customer_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_flowhub__customers') }}
    where flowhub_customer_id in (select tills.flowhub_customer_id from tills)

)

-- a sale of hers ends what a purchase ends
select
    enrolled.enrollment_id,
    'buyer:' || records.node as watch_key,
    {{ build_no() }} as build_no
from enrolled
inner join records on enrolled.enrollment_id = records.enrollment_id
where enrolled.exits like '%,bought,%'

union all

-- the items by which the one product that it is about is there
select
    enrolled.enrollment_id,
    'item:' || items.inventory_key,
    {{ build_no() }}
from enrolled
inner join {{ ref('int_store_names') }} as stores
    on {{ json_text('enrolled.context', ['store_name']) }} = stores.store_name
inner join {{ ref('int_inventory_items') }} as items
    on enrolled.object_id = items.product_id and stores.store_id = items.store_id
where {{ is_about_one_product('enrolled') }}
    and items.is_listed
    and items.on_hand > 0
    and {{ is_taken_stock('items.room_id', 'items.purchase_category') }}

union all

-- a yes of the till to the very address: its no would be a flip
select
    tills.enrollment_id,
    'till:email:' || tills.flowhub_customer_id,
    {{ build_no() }}
from tills
inner join till_versions as versions
    on tills.flowhub_customer_id = versions.flowhub_customer_id and versions.recency = 1
where versions.email_opt_in and versions.email = tills.recipient_email

union all

select
    tills.enrollment_id,
    'till:sms:' || tills.flowhub_customer_id,
    {{ build_no() }}
from tills
inner join till_versions as versions
    on tills.flowhub_customer_id = versions.flowhub_customer_id and versions.recency = 1
where versions.sms_opt_in and versions.phone = tills.recipient_phone
