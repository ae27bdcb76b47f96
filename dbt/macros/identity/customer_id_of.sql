{#- The id of the person who is named after a record. -#}
{% macro customer_id_of(anchor_node) -%}
    'c_' || substr(md5({{ anchor_node }}), 1, 16)
{%- endmacro %}
