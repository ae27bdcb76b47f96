{{ config(materialized='incremental', incremental_strategy='append') }}

{#- The end of an enrollment: once, with the first reason. An enrollment is open until it expires or, where its flow has
    a longest duration, until that is over. Cost follows what is open and the news. -#}
{%- if var('restore') %}

{{ landed_columns('decisions', {
    'enrollment_id': 'varchar', 'flow_name': 'varchar', 'exited_at': 'timestamp', 'reason': 'varchar',
    'build_no': 'bigint'
}, kind='exit') }}

{%- else %}

with

decisions as (

    select
        *,
        greatest(expires_at, {{ add_seconds('greatest(decided_at, not_before)', 'coalesce(max_duration_seconds, 0)') }})
            as open_until
    from {{ ref('int_flow_decisions') }}
    where outcome = 'enrolled'
        and mode = 'live'
        {%- if is_incremental() %}
        and decision_id not in (select enrollment_id from {{ this }})
        {%- endif %}

),

open_enrollments as (

    select
        decisions.*,
        coalesce(map.customer_id, decisions.customer_id) as person_id,
        coalesce(receipts.status, 'pending') in ('accepted', 'ambiguous') as is_sent,
        {{ present_name_of('decisions.flow_name') }} as present_name,
        ',' || flow_settings.exits || ',' as exits,
        ',' || flow_settings.recheck || ',' as recheck
    from decisions
    left join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    left join {{ ref('activation_receipts') }} as receipts on decisions.decision_id = receipts.enrollment_id
    left join {{ source('ops', 'flow_settings') }} as flow_settings
        on {{ present_name_of('decisions.flow_name') }} = flow_settings.flow_name
    where decisions.open_until >= {{ last_as_of() }}
        and coalesce(receipts.status, 'pending') not in ('rejected', 'expired', 'superseded', 'exited')

),

ended_orders as (

    select * from {{ ref('int_ended_orders') }}

),

purchases as (

    {#- what she ordered between the occasion and the enrollment's end, whether the decision knew of it or not -#}
    select open_enrollments.decision_id
    from open_enrollments
    inner join {{ ref('int_identity__map') }} as map on open_enrollments.person_id = map.customer_id
    inner join {{ ref('int_orders') }} as orders on map.record_key = orders.record_key
    where orders.status not in ('canceled', 'refunded')
        and orders.created_at > open_enrollments.triggered_at
        and open_enrollments.open_until >= orders.created_at
        and open_enrollments.exits like '%,bought,%'

    union

    select open_enrollments.decision_id
    from open_enrollments
    inner join {{ ref('int_carts') }} as carts
        on open_enrollments.object_type = 'cart' and open_enrollments.object_id = carts.cart_id
    where open_enrollments.open_until >= carts.ordered_at
        and open_enrollments.exits like '%,bought,%'

),

completions as (

    {#- the messaging system came to the end, or what the message asks for is done -#}
    select
        event_name,
        object_type,
        object_id,
        {{ json_text('properties', ['cart_id']) }} as cart_id,
        event_id,
        occurred_at
    from {{ ref('int_events') }}
    where {{ is_news() }}
        and event_name in (
            'message_flow_completed', 'order_completed', 'order_fulfilled', 'completed_product_review', 'item_reviewed'
        )

),

completed as (

    select open_enrollments.decision_id
    from open_enrollments
    inner join completions on open_enrollments.decision_id = completions.object_id
    where completions.event_name = 'message_flow_completed'
        and completions.occurred_at <= open_enrollments.open_until

    union

    select open_enrollments.decision_id
    from open_enrollments
    inner join completions
        on open_enrollments.object_id = case open_enrollments.object_type
            when completions.object_type then completions.object_id
            when 'cart' then completions.cart_id
        end
    where completions.event_name <> 'message_flow_completed'
        and open_enrollments.exits like '%,completed,%'
        and completions.occurred_at between open_enrollments.triggered_at and open_enrollments.open_until
        and completions.event_id <> open_enrollments.trigger_event_id

),

failures as (

    select
        flow_name,
        trigger_event_id,
        node,
        unnest(string_to_array(failed_filters, ',')) as failed_filter
    from {{ ref('int_flow_candidates') }}
    where failed_filters <> ''

),

failed_conditions as (

    {#- a condition that holds no more, and that the flow names among its exits or asks again while nothing is sent -#}
    select
        open_enrollments.decision_id,
        min(failures.failed_filter) as failed_filter
    from open_enrollments
    inner join failures
        on open_enrollments.present_name = failures.flow_name
            and open_enrollments.trigger_event_id = failures.trigger_event_id
            and open_enrollments.subject_node = failures.node
    where open_enrollments.exits like '%,' || failures.failed_filter || ',%'
        or (not open_enrollments.is_sent and open_enrollments.recheck like '%,' || failures.failed_filter || ',%')
    group by open_enrollments.decision_id

),

age_rules as (  -- noqa: ST03

    select * from {{ ref('age_rules') }}

),

waiting_people as (

    select
        open_enrollments.decision_id,
        people.birth_date,
        people.programme,
        coalesce(people.state, '*') as state,
        coalesce(people.time_zone, '{{ var("time_zone") }}') as time_zone
    from open_enrollments
    inner join {{ ref('dim_customers') }} as people on open_enrollments.person_id = people.customer_id
    where open_enrollments.flow_kind = 'marketing' and not open_enrollments.is_sent

),

minors as (

    {#- a date of birth was corrected, or somebody else's record turned out to be hers -#}
    select decision_id from (
        {{ with_minimum_age('waiting_people') }}
    ) as aged
    where birth_date > must_be_born_by

),

sold_out as (

    {#- the one product that a message is about has left the shelves of the store that it names while it waited -#}
    select open_enrollments.decision_id
    from open_enrollments
    inner join {{ ref('int_store_names') }} as stores
        on {{ json_text('open_enrollments.context', ['store_name']) }} = stores.store_name
    inner join {{ ref('fct_inventory_levels') }} as levels
        on open_enrollments.object_id = levels.product_id and stores.store_id = levels.store_id
    where {{ is_about_one_product('open_enrollments') }}
        and not open_enrollments.is_sent
    group by open_enrollments.decision_id
    having sum(levels.available) <= 0

),

merged_people as (

    select distinct new_customer_id as customer_id from {{ ref('customer_id_changes') }}
    where {{ changed_since('build_no') }}

),

newly_shared as (

    {#- of enrollments for one occurrence that came to share a person the first is sent, or is the one that was -#}
    select
        decisions.decision_id,
        row_number() over (
            partition by {{ present_name_of('decisions.flow_name') }}, decisions.trigger_key, map.customer_id
            order by
                case when receipts.status in ('accepted', 'ambiguous') then 0 else 1 end,
                decisions.decided_at,
                decisions.decision_id
        ) as place
    from decisions
    inner join {{ ref('int_identity__map') }} as map on decisions.record_key = map.record_key
    inner join merged_people on map.customer_id = merged_people.customer_id
    left join {{ ref('activation_receipts') }} as receipts on decisions.decision_id = receipts.enrollment_id
    where coalesce(receipts.status, 'pending') not in ('rejected', 'expired', 'superseded', 'exited')

),

ended as (

    select
        open_enrollments.decision_id as enrollment_id,
        open_enrollments.flow_name,
        case
            -- what was enrolled because the order had ended is about that end
            when ended_orders.ended_at > open_enrollments.triggered_at
                and ended_orders.ended_at <= open_enrollments.open_until
                then ended_orders.ended_by
            when purchases.decision_id is not null then 'purchased'
            when completed.decision_id is not null then 'completed'
            when newly_shared.place > 1 and not open_enrollments.is_sent then 'superseded'
            -- whoever heard it: a till that flips to no ends what is open, like a stop
            when open_enrollments.flow_kind = 'marketing'
                and (open_enrollments.recipient_email is null or email_consent.status = 'opted_out')
                and (open_enrollments.recipient_phone is null or sms_consent.status = 'opted_out')
                then 'opted_out'
            when minors.decision_id is not null then 'under_age'
            when failed_conditions.failed_filter is not null then 'filter:' || failed_conditions.failed_filter
            when sold_out.decision_id is not null then 'out_of_stock'
        end as reason
    from open_enrollments
    left join ended_orders
        on open_enrollments.object_type = ended_orders.object_type
            and open_enrollments.object_id = ended_orders.object_id
    left join purchases on open_enrollments.decision_id = purchases.decision_id
    left join completed on open_enrollments.decision_id = completed.decision_id
    left join failed_conditions on open_enrollments.decision_id = failed_conditions.decision_id
    left join minors on open_enrollments.decision_id = minors.decision_id
    left join sold_out on open_enrollments.decision_id = sold_out.decision_id
    left join newly_shared on open_enrollments.decision_id = newly_shared.decision_id
    left join {{ ref('address_consent') }} as email_consent
        on open_enrollments.recipient_email = email_consent.address and email_consent.channel = 'email'
    left join {{ ref('address_consent') }} as sms_consent
        on open_enrollments.recipient_phone = sms_consent.address and sms_consent.channel = 'sms'

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
