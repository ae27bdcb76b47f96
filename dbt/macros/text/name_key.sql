{#- A name as it is compared: lower case, letters only; null where nothing is left. -#}
{% macro name_key(column) -%}
    nullif(regexp_replace(lower({{ column }}), '[^a-z]', '', 'g'), '')
{%- endmacro %}
