{#- The value at a path of a JSON column as a type; null where it is missing or of another type. -#}
{% macro json_text_as(column, path, type) -%}
    {{ text_as('(' ~ json_text(column, path) ~ ')', type) }}
{%- endmacro %}
