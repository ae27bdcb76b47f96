{#- A store has an id at the till and another one at Jane, and events come with either. -#}
with

versions as (

    select
        store_id,
        store_name,
        row_number() over (partition by store_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_flowhub__locations') }}
    where store_name is not null

),

named as (

    select store_id, store_name from versions where recency = 1
    union all
    select jane_store_id, store_name from {{ ref('int_jane_stores') }}

)

select
    store_id,
    min(store_name) as store_name
from named
group by store_id
