{#- True for a landed row whose person was erased: nothing but its place is left of it. -#}
{% macro is_erased(payload) -%}
    ({{ payload }} = '{"erased":true}')
{%- endmacro %}
