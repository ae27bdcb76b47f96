{#- A number that an analyst wrote, as a literal. -#}
{% macro number_told(operator, number) -%}
    {%- if not modules.re.match('-?[0-9]+([.][0-9]+)?$', number ~ '') -%}
    {{ wrong_operator(operator, "'" ~ number ~ "' is no number", 'Write one such as 100 or 12.50') }}
    {%- endif -%}
    {{ number }}
{%- endmacro %}
