{#- True when a text has another somewhere in it; capitals don't matter. -#}
{% macro contains(column, text) -%}
    ((strpos(lower({{ column }}), lower({{ text_told('contains', text) }})) > 0) is true)
{%- endmacro %}
