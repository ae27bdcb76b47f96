{#- True until this model has committed its rows of this moment: a moment that is taken up again finds them there, and what
    follows may have read them already. -#}
{% macro is_first_run() -%}
    ({{ cursor('build_no') }} < {{ build_no() }})
{%- endmacro %}
