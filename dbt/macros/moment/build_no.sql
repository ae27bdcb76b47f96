{#- The number of this build. -#}
{% macro build_no() -%}
    {{ var('build_no') | int }}
{%- endmacro %}
