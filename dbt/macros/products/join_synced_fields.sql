{#- Join the CTE `synced_fields` to rows with a `store_id`: the location's own row, and that of all locations. -#}
{% macro join_synced_fields(relation) -%}
    left join synced_fields as own_fields on {{ relation }}.store_id = own_fields.location_id
    left join synced_fields as all_fields on all_fields.location_id = '*'
{%- endmacro %}
