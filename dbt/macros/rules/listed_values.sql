{#- The values that a rule allows, for `in (…)`: a column of a seed (`seed.column`), or the values that it names. -#}
{% macro listed_values(one_of) -%}
    {%- if one_of is string -%}
    select lower({{ one_of.split('.')[1] }}) from {{ ref(one_of.split('.')[0]) }}
    {%- else -%}
    '{{ one_of | map('lower') | join("', '") }}'
    {%- endif -%}
{%- endmacro %}
