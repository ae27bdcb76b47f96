{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['product_id', 'store_id']) }}

{#- What a store's till last said about each product, as it said it: which fields are shown and what they are called in
    our words is decided when it is read. Cost follows the products with news. -#}
with

versions as (

    select
        *,
        row_number() over (partition by product_id, store_id order by seq desc, row_no desc) as recency,
        min(received_at) over (partition by product_id, store_id) as first_seen_at
    from {{ ref('stg_flowhub__inventory') }}
    where {{ is_news() }}

)

select
    versions.product_id,
    versions.store_id,
    versions.product_name,
    versions.variant,
    versions.brand,
    versions.strain_name,
    versions.species_name,
    versions.custom_category,
    versions.product_type,
    versions.main_category,
    versions.picture_url,
    versions.terpenes,
    versions.seq as last_seq,
    {% if is_incremental() -%}
    coalesce(known.first_seen_at, versions.first_seen_at) as first_seen_at,
    {%- else -%}
    versions.first_seen_at,
    {%- endif %}
    versions.received_at as last_seen_at,
    {{ build_no() }} as changed_build_no
from versions
{% if is_incremental() -%}
left join {{ this }} as known
    on versions.product_id = known.product_id and versions.store_id = known.store_id
{%- endif %}
where versions.recency = 1
