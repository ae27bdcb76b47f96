{#- Which fields are shown, by location: the seed `inventory_fields` with a column for each field. Give it as a CTE
    named `synced_fields`, join it with `join_synced_fields` and read a column through `if_synced`. -#}
{% macro synced_fields() -%}
    select
        location_id
        {%- for field in [
            'brand', 'strain_name', 'strain_type', 'custom_category', 'type', 'terpenes', 'picture_url', 'price',
            'purchase_category'
        ] %},
        bool_or(case when field = '{{ field }}' then is_synced end) as {{ field }}
        {%- endfor %}
    from {{ ref('inventory_fields') }}
    group by location_id
{%- endmacro %}
