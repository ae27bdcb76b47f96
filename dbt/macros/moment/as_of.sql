{#- The moment's instant, the only clock a model may read. -#}
{% macro as_of() -%}
    timestamp '{{ var("as_of") }}'
{%- endmacro %}
