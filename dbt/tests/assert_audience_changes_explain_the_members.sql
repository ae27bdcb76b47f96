-- Returns rows when a person's last change of an audience does not agree with whether she is in it.
with

last_changes as (

    select
        audience_name,
        customer_id,
        change,
        row_number() over (partition by audience_name, customer_id order by build_no desc) as recency
    from {{ ref('audience_changes') }}

),

told as (

    select
        audience_name,
        customer_id
    from last_changes
    where recency = 1 and change = 'entered'

),

members as (

    select
        audience_name,
        customer_id
    from {{ ref('audience_members') }}

)

select
    told.customer_id as told_customer_id,
    members.customer_id as member_customer_id
from told
full outer join members
    on told.audience_name = members.audience_name and told.customer_id = members.customer_id
where told.customer_id is null or members.customer_id is null
