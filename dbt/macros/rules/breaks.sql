{#- The condition under which a row breaks a rule. What is missing breaks only the rule that it be there. -#}
{% macro breaks(rule, said, told) -%}
    {%- set conditions = [] -%}
    {%- if rule.get('stream') -%}
        {%- do conditions.append("landed.stream = '" ~ rule.stream ~ "'") -%}
    {%- endif -%}
    {%- for path, values in rule.get('only_if', {}).items() -%}
        {%- do conditions.append('lower(' ~ said_at(path, said, told) ~ ") in ('" ~ values | join("', '") ~ "')") -%}
    {%- endfor -%}
    {%- set texts = [] -%}
    {%- for path in rule_paths(rule) if path != 'payload' -%}
        {%- do texts.append(said_at(path, said, told)) -%}
    {%- endfor -%}
    {%- do conditions.append(breaks_with(rule, texts)) -%}
    {{ return(conditions | join(' and ')) }}
{%- endmacro %}
