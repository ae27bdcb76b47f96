{#- A column where its field syncs at the row's location, else null; the location's own word counts before `*`. -#}
{% macro if_synced(field, column) -%}
    case when coalesce(own_fields.{{ field }}, all_fields.{{ field }}, true) then {{ column }} end
{%- endmacro %}
