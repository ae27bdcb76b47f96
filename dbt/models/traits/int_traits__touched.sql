{{ config(materialized='table') }}

{#- Whose traits this moment computes: people about whom something arrived, and those of whom a windowed value changes
    by the clock alone (`next_change_at`). Everybody after the project has changed, for a threshold may be another one.
    Cost follows the news. -#}
with

map as (

    select * from {{ ref('int_identity__map') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

touched as (

    select customer_id from customers where {{ changed_since() }}
    union
    select customer_id from map where {{ changed_since('changed_build_no') }}
    {%- for facts in ['int_orders', 'int_loyalty_accounts', 'int_points_expiries', 'int_customer_properties'] %}
    union
    select map.customer_id
    from map inner join {{ ref(facts) }} as facts on map.record_key = facts.record_key
    where {{ changed_since('facts.changed_build_no') }}
    {%- endfor %}
    union
    select map.customer_id
    from map inner join {{ ref('int_events') }} as events on map.record_key = events.record_key
    where {{ is_news('events.seq') }}
        and (
            events.event_name in (select event_name from {{ ref('score_weights') }})
            or events.event_name = 'cart_abandoned'
        )
    union
    {{ due_customers() }}
    {%- if var('deploying') %}
    union
    select customer_id from customers
    {%- endif %}

)

select
    customer_id,
    {{ as_of() }} as as_of
from touched
where customer_id in (select customer_id from customers)
