{#- Models and seeds named for consumers live in `marts`; everything that is a step on the way in its stage's schema. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set is_step = node.resource_type != 'model' or node.name.startswith(('base_', 'stg_', 'int_')) -%}
    {%- set is_list = node.fqn is defined and node.fqn[1] in ['audiences', 'flows'] -%}
    {{ custom_schema_name if is_step or is_list else 'marts' }}
{%- endmacro %}
