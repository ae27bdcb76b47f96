{#- The instant of the moment before this one. -#}
{% macro last_as_of() -%}
    timestamp '{{ var("last_as_of") }}'
{%- endmacro %}
