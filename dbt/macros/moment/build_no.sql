{#- The number of this build. -#}
{% macro build_no() -%}
    cast({{ var('build_no') | int }} as bigint)
{%- endmacro %}
