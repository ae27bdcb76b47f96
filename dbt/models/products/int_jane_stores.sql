{{ config(materialized='incremental', incremental_strategy='merge', unique_key='jane_store_id') }}

{#- Each store of Jane under the name that it told last, and the location that it is. A handful of rows, all of them
    looked at whenever it runs: a location or a link may come long after a store's orders. -#}
with

names as (

    select
        jane_store_id,
        store_name,
        occurred_at as named_at
    from {{ ref('stg_jane__carts') }}
    where {{ is_news() }} and jane_store_id is not null and store_name is not null
    {%- if is_incremental() %}
    union all
    select jane_store_id, store_name, named_at from {{ this }}
    {%- endif %}

),

newest as (

    select
        jane_store_id,
        store_name,
        named_at,
        row_number() over (partition by jane_store_id order by named_at desc, store_name) as recency
    from names

),

located as (

    select
        newest.jane_store_id,
        newest.store_name,
        newest.named_at,
        coalesce(store_links.store_id, location_names.store_id) as store_id
    from newest
    {{ join_location('newest') }}
    where newest.recency = 1

)

select
    located.jane_store_id,
    located.store_name,
    located.named_at,
    located.store_id,
    {%- if is_incremental() %}
    -- what follows looks at a store's orders again only when it became another location
    case
        when known.jane_store_id is not null and (known.store_id is not distinct from located.store_id)
            then known.changed_build_no
        else {{ build_no() }}
    end as changed_build_no
    {%- else %}
    {{ build_no() }} as changed_build_no
    {%- endif %}
from located
{%- if is_incremental() %}
left join {{ this }} as known on located.jane_store_id = known.jane_store_id
{%- endif %}
