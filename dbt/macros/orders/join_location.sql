{#- Join the location of Flowhub that a store of Jane is, to rows with `jane_store_id` and `store_name`: by the seed
    `store_links`, else by the same name. Read it as `coalesce(store_links.store_id, location_names.store_id)`. -#}
{% macro join_location(relation) -%}
    left join {{ ref('store_links') }} as store_links
        on {{ relation }}.jane_store_id = store_links.jane_store_id
    left join {{ ref('int_location_names') }} as location_names
        on {{ words_of(relation ~ '.store_name') }} = location_names.store_name_key
{%- endmacro %}
