{#- The flows that decide in this moment: the active ones and the dry runs. A draft costs nothing. All of them where no moment
    says so: while dbt parses, and in unit tests. -#}
{% macro running_flows() -%}
    {%- set running = var('running_flows') -%}
    {%- if not execute or running is none -%}
        {{ return(flow_models()) }}
    {%- endif -%}
    {{ return(flow_models() | select('in', running) | list) }}
{%- endmacro %}
