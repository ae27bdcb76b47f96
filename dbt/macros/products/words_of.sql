{#- The words of a name as they are compared: lower case, letters and digits only, one space between; null for none. -#}
{% macro words_of(column) -%}
    nullif(trim(regexp_replace(lower({{ column }}), '[^a-z0-9]+', ' ', 'g')), '')
{%- endmacro %}
