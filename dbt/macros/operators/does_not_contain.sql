{#- True when a text has another nowhere in it; capitals don't matter, and no text is no answer. -#}
{% macro does_not_contain(column, text) -%}
    ((strpos(lower({{ column }}), lower({{ text_told('does_not_contain', text) }})) = 0) is true)
{%- endmacro %}
