{#- True when a trait has a value, whichever. -#}
{% macro has_any_value(column) -%}
    (({{ column }}) is not null)
{%- endmacro %}
