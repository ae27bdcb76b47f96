{#- The paths that rules speak of, each once: those into the payload, or those into the headers. -#}
{% macro said_paths(rules, in_headers) -%}
    {%- set found = [] -%}
    {%- for rule in rules -%}
        {%- for path in rule_paths(rule) + rule.get('only_if', {}).keys() | list -%}
            {%- set is_header = path.startswith('headers.') -%}
            {%- set is_inside = path != 'payload' and not path.startswith('envelope.') -%}
            {%- if is_inside and is_header == in_headers and path not in found -%}
                {%- do found.append(path) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
