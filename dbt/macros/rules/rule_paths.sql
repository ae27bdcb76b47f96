{#- The paths that a rule judges: the one or several of `path`, else those that `form` gives a form each. -#}
{% macro rule_paths(rule) -%}
    {%- if rule.get('form') is mapping -%}
        {{ return(rule.form.keys() | list) }}
    {%- endif -%}
    {{ return([rule.path] if rule.path is string else rule.path) }}
{%- endmacro %}
