{#- Whether one of a rule's texts has its form: one of the named forms (`config.meta.forms`), else a regular expression. -#}
{% macro has_form(rule, texts) -%}
    {%- set forms = rule.form.values() | list if rule.form is mapping else [rule.form] * (texts | length) -%}
    {%- set named = graph.nodes[model.get('tested_node_unique_id') or model.unique_id].config.meta.forms -%}
    {%- for text in texts -%}
        coalesce({{ matches(text, named.get(forms[loop.index0], forms[loop.index0])) }}, false)
        {{- ' or ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
