{#- What a flow is called by now: what was decided under a former name counts as the flow's own (`previous_names`). -#}
{% macro present_name_of(column) -%}
    {%- set renames = var('flow_renames') -%}
    {%- if renames -%}
    case {{ column }}
        {%- for previous, name in renames.items() %} when '{{ previous }}' then '{{ name }}'{% endfor %}
        else {{ column }} end
    {%- else -%} {{ column }}
    {%- endif -%}
{%- endmacro %}
