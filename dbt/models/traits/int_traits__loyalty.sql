{#- What the loyalty programme says of the people whom this moment computes: the newest word of any of her accounts. -#}
with

touched as (

    select * from {{ ref('int_traits__touched') }}

),

map as (

    select * from {{ ref('int_identity__map') }}

),

accounts as (

    select
        touched.customer_id
        {%- for field in ['points_balance', 'tier', 'tier_expires_at', 'member_status', 'birth_month'] %},
        (array_agg(accounts.{{ field }} order by accounts.{{ field }}_said_at desc, accounts.record_key)
            filter (where accounts.{{ field }} is not null))[1] as {{ field }}
        {%- endfor %}
    from touched
    inner join map on touched.customer_id = map.customer_id
    inner join {{ ref('int_loyalty_accounts') }} as accounts on map.record_key = accounts.record_key
    group by touched.customer_id

),

expiries as (

    -- what has expired is gone; the next instant counts
    select
        touched.customer_id,
        min(expiries.expires_at) as points_expire_at
    from touched
    inner join map on touched.customer_id = map.customer_id
    inner join {{ ref('int_points_expiries') }} as expiries on map.record_key = expiries.record_key
    where expiries.expires_at > touched.as_of
    group by touched.customer_id

)

select
    touched.customer_id,
    accounts.points_balance,
    expiries.points_expire_at,
    accounts.tier,
    accounts.tier_expires_at,
    accounts.member_status,
    accounts.birth_month,
    expiries.points_expire_at as next_change_at
from touched
left join accounts on touched.customer_id = accounts.customer_id
left join expiries on touched.customer_id = expiries.customer_id
