{#- What is recommended to a person follows from the shelves of this hour and from what everybody bought, so it is
    looked up when it is asked for; all else is kept. -#}
select
    traits.customer_id,
    {%- for trait in trait_columns() %}
    traits.{{ trait }},
    {%- endfor %}
    recommended.product_ids as recommended_products,
    traits.next_change_at,
    traits.changed_build_no
from {{ ref('int_customer_traits') }} as traits
left join {{ ref('store_recommendations') }} as recommended
    on traits.favourite_store_id = recommended.store_id and traits.favourite_category = recommended.category
