{#- Take away the rows of flows under names that they had before: they stand under the name of now. -#}
{% macro drop_former_flows() -%}
    delete from {{ this }}
    where flow_name in ('{{ var('flow_renames').keys() | join("', '") }}')
{%- endmacro %}
