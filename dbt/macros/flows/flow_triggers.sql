{#- The occurrences of a flow's trigger that this moment looks at. -#}
{% macro flow_triggers(event_name) -%}
    select * from {{ ref('int_flow_triggers') }} where event_name = '{{ event_name }}'
{%- endmacro %}
