{#- The area code of a North American number in E.164; null for any other. -#}
{% macro area_code_of(phone) -%}
    case when {{ phone }} like '+1%' then substr({{ phone }}, 3, 3) end
{%- endmacro %}
