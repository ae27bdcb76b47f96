{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id', tags=['scheduled'],
    post_hook=["{{ drop_merged_customers() }}"],
) }}

{#- What each destination may be told of each person. It may know who opted in, and members of the loyalty programme who
    did not opt out; nobody whose records contradict each other; and nobody by an address that somebody else has, too.
    Cost follows the news: looked at again is who has other traits or fields, and who shares an address with her, now or
    before. -#}
with

customers as (

    select * from {{ ref('dim_customers') }}

),

traits as (

    select * from {{ ref('int_customer_traits') }}

),

{%- set destinations = ['aiq', 'klaviyo'] %}

fields as (

    {%- for destination in destinations %}
    select
        '{{ destination }}' as destination,
        -- Klaviyo and its carriers forbid cannabis content in text messages: no phone number goes there
        {{ 'false' if destination == 'klaviyo' else 'true' }} as takes_phone,
        {%- for field in trait_fields() %}
        coalesce(bool_or(field = '{{ field }}'), false) as takes_{{ field }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('destination_fields') }}
    where destination = '{{ destination }}' and purpose = 'trait'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

touched as (

    select customer_id from customers where {{ changed_since() }}
    union
    select customer_id from traits where {{ changed_since() }}
    {%- if var('deploying') %}
    union
    -- the list of fields may be another one
    select customer_id from customers
    {%- endif %}

),

addresses as (

    select email as address from customers where customer_id in (select customer_id from touched)
    union
    select phone from customers where customer_id in (select customer_id from touched)
    {%- if is_incremental() %}
    union
    select email from {{ this }} where customer_id in (select customer_id from touched)
    union
    select phone from {{ this }} where customer_id in (select customer_id from touched)
    {%- endif %}

),

affected as (

    select customer_id from touched where customer_id in (select customer_id from customers)
    union
    select customer_id from customers where email in (select address from addresses)
    union
    select customer_id from customers where phone in (select address from addresses)

),

holders as (

    select
        email as address,
        count(*) as people
    from customers
    where email in (select email from customers where customer_id in (select customer_id from affected))
    group by email
    union all
    select
        phone,
        count(*)
    from customers
    where phone in (select phone from customers where customer_id in (select customer_id from affected))
    group by phone

),

standing as (

    select
        customers.customer_id,
        customers.email,
        customers.phone,
        customers.flowhub_customer_id,
        not customers.has_conflict
            and customers.email is not null
            and email_holders.people = 1
            and not customers.is_email_suppressed
            and (
                customers.email_consent = 'opted_in'
                or (
                    customers.email_consent = 'unknown'
                    and (customers.is_loyal or traits.member_status is not null)
                )
            ) as may_email,
        not customers.has_conflict
            and customers.phone is not null
            and phone_holders.people = 1
            and not customers.is_sms_suppressed
            and (
                customers.sms_consent = 'opted_in'
                or (
                    customers.sms_consent = 'unknown'
                    and (customers.is_loyal or traits.member_status is not null)
                )
            ) as may_phone,
        customers.programme,
        {%- for trait in trait_columns() %}
        traits.{{ trait }}{{ ',' if not loop.last }}
        {%- endfor %}
    from customers
    inner join affected on customers.customer_id = affected.customer_id
    left join traits on customers.customer_id = traits.customer_id
    left join holders as email_holders on customers.email = email_holders.address
    left join holders as phone_holders on customers.phone = phone_holders.address

),

told as (

    select
        fields.destination,
        standing.customer_id,
        standing.email,
        standing.phone,
        standing.flowhub_customer_id,
        standing.may_email,
        standing.may_phone and fields.takes_phone as may_phone,
        '{' || concat_ws(
            ','
            {%- for field in trait_fields() | sort %},
            case when fields.takes_{{ field }} then '"{{ field }}":' || {{ trait_json(field, 'standing.' ~ field) }} end
            {%- endfor %}
        ) || '}' as traits
    from standing
    cross join fields

),

keyed as (

    select
        *,
        md5(concat_ws(
            '|',
            case when may_email then email else '' end,
            case when may_phone then phone else '' end,
            coalesce(flowhub_customer_id, ''),
            traits
        )) as fingerprint
    from told

)

select
    keyed.destination,
    keyed.customer_id,
    keyed.email,
    keyed.phone,
    keyed.flowhub_customer_id,
    keyed.may_email,
    keyed.may_phone,
    keyed.traits,
    keyed.fingerprint,
    {%- if is_incremental() %}
    case
        when known.fingerprint = keyed.fingerprint then known.changed_build_no
        else {{ build_no() }}
    end as changed_build_no
    {%- else %}
    {{ build_no() }} as changed_build_no
    {%- endif %}
from keyed
{%- if is_incremental() %}
left join {{ this }} as known
    on keyed.destination = known.destination and keyed.customer_id = known.customer_id
{%- endif %}
