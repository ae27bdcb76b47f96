{#- A text that an analyst wrote, as a literal. -#}
{% macro text_told(operator, text) -%}
    {%- if not (text ~ '') | trim -%}
    {{ wrong_operator(operator, 'the text is empty', 'Write what to look for') }}
    {%- endif -%}
    '{{ (text ~ '') | replace("'", "''") }}'
{%- endmacro %}
