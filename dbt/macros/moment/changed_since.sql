{#- True for the rows of a table that changes in place which changed after this model last read them. -#}
{% macro changed_since(changed_build_no='changed_build_no') -%}
    ({{ changed_build_no }} > {{ cursor('build_no') }})
{%- endmacro %}
