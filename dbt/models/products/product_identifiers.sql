{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key=['identifier_type', 'identifier_value'],
) }}

{#- The bridge from what others call a product. A till's ids and SKUs end with their batch; an id that comes to mean
    another product means that one from then on. Cost follows the rows with news. -#}
with

cart_lines as (

    select
        carts.seq,
        carts.row_no,
        carts.received_at,
        elements.element as record
    from (
        select
            seq,
            row_no,
            received_at,
            {{ json_record('products', [{'product_id': 'VARCHAR', 'product_name': 'VARCHAR', 'brand': 'VARCHAR'}]) }}
                as products
        from {{ ref('stg_jane__carts') }}
        where {{ is_news() }} and products is not null
    ) as carts
    cross join {{ json_elements('carts.products') }}

),

sightings as (

    select
        'flowhub_product_id' as identifier_type, pos_product_id as identifier_value, product_id, seq, row_no,
        received_at
    from {{ ref('stg_flowhub__inventory') }}
    where {{ is_news() }}

    union all

    select 'flowhub_sku', sku, product_id, seq, row_no, received_at
    from {{ ref('stg_flowhub__inventory') }}
    where {{ is_news() }} and nullif(sku, '') is not null

    union all

    select
        'jane_product_id',
        {{ json_field('record', 'product_id') }},
        {{ product_id_of(
            json_field('record', 'brand'), json_field('record', 'product_name'), 'cast(null as varchar)',
            'cast(null as varchar)', json_field('record', 'product_id')
        ) }},
        seq,
        row_no,
        received_at
    from cart_lines
    where {{ json_field('record', 'product_id') }} is not null
        and {{ json_field('record', 'product_name') }} is not null

),

news as (

    select
        *,
        row_number() over (
            partition by identifier_type, identifier_value order by seq desc, row_no desc, product_id
        ) as recency,
        min(received_at) over (partition by identifier_type, identifier_value) as first_seen_at
    from sightings

)

select
    news.identifier_type,
    news.identifier_value,
    news.product_id,
    {% if is_incremental() -%}
    coalesce(known.first_seen_at, news.first_seen_at) as first_seen_at,
    {%- else -%}
    news.first_seen_at,
    {%- endif %}
    news.received_at as last_seen_at
from news
{% if is_incremental() -%}
left join {{ this }} as known
    on news.identifier_type = known.identifier_type and news.identifier_value = known.identifier_value
{%- endif %}
where news.recency = 1
