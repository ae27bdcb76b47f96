{#- What the seed `destination_fields` may list for the purpose `trait`: the traits that are kept, and the programme. -#}
{% macro trait_fields() -%}
    {{ return(trait_columns() + ['programme']) }}
{%- endmacro %}
