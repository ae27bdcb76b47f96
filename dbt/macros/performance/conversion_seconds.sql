{#- For how long after its message an order counts as brought by a flow: `conversion_window` of its settings, seven days
    where the flow is gone. -#}
{% macro conversion_seconds(flow_settings) -%}
    coalesce({{ flow_settings }}.conversion_seconds, 604800)
{%- endmacro %}
