{#- The name of a record: its type and the id it has in its source. Evidence keeps the node, never the person. -#}
{% macro node_of(record_type, column) -%}
    ('{{ record_type }}:' || {{ column }})
{%- endmacro %}
