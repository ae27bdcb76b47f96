{#- What a location is called, where no other one is called so: how a store of another system finds it. -#}
with

versions as (

    select
        store_id,
        {{ words_of('store_name') }} as store_name_key,
        row_number() over (partition by store_id order by seq desc, row_no desc) as recency
    from {{ ref('stg_flowhub__locations') }}

)

select
    store_name_key,
    min(store_id) as store_id
from versions
where recency = 1 and store_name_key is not null
group by store_name_key
having count(*) = 1
