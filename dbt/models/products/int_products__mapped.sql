{#- The seeds applied to what the stores say: which fields sync, and what is meant by their categories and species. -#}
with

synced_fields as (

    {{ synced_fields() }}

),

shown as (

    select
        products.product_id,
        products.store_id,
        products.product_name,
        products.variant,
        {{ if_synced('brand', 'products.brand') }} as brand,
        {{ if_synced('strain_name', 'products.strain_name') }} as strain_name,
        {{ if_synced('strain_type', 'products.species_name') }} as species_name,
        {{ if_synced('custom_category', 'products.custom_category') }} as custom_category,
        {{ if_synced('type', 'products.product_type') }} as product_type,
        products.main_category,
        {{ if_synced('picture_url', 'products.picture_url') }} as picture_url,
        {{ if_synced('terpenes', 'products.terpenes') }} as terpenes,
        {{ if_synced('strain_type', 'products.product_type') }} as species_type,
        products.last_seq,
        products.first_seen_at,
        products.last_seen_at
    from {{ ref('int_products') }} as products
    {{ join_synced_fields('products') }}

)

select
    shown.product_id,
    shown.store_id,
    shown.product_name,
    shown.variant,
    shown.brand,
    shown.custom_category,
    shown.product_type,
    shown.main_category,
    shown.species_name,
    shown.strain_name,
    shown.terpenes,
    shown.picture_url,
    {{ mapped_category('shown.custom_category', 'shown.product_type', 'shown.main_category') }} as category,
    {{ mapped_subtype('shown.custom_category', 'shown.product_type', 'shown.main_category') }} as subtype,
    -- many stores keep the species in the field for the type
    coalesce(by_species.strain_type, by_type.strain_type, trim(shown.species_name)) as strain_type,
    custom_category_mapping.category is not null as is_custom_category_mapped,
    type_mapping.category is not null or by_product_type.strain_type is not null as is_type_mapped,
    category_mapping.category is not null as is_category_mapped,
    shown.species_name is null or by_species.strain_type is not null as is_species_mapped,
    shown.last_seq,
    shown.first_seen_at,
    shown.last_seen_at
from shown
{{ join_category_mapping('shown.custom_category', 'shown.product_type', 'shown.main_category') }}
left join {{ ref('strain_types') }} as by_species
    on lower(by_species.spelling) = lower(trim(shown.species_name))
left join {{ ref('strain_types') }} as by_type
    on lower(by_type.spelling) = lower(trim(shown.species_type))
left join {{ ref('strain_types') }} as by_product_type
    on lower(by_product_type.spelling) = lower(trim(shown.product_type))
