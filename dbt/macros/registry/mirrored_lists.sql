{#- The lists that mirror an audience: a mapping for each, of `audience`, `destination` and `list_id`, as `mirror:` in the
    audiences' YAML says. -#}
{% macro mirrored_lists() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for audience in audience_models() -%}
            {%- set mirror = graph.nodes['model.perennial.' ~ audience].config.meta.get('mirror', {}) -%}
            {%- for destination, list_id in mirror.items() -%}
                {%- do found.append({'audience': audience, 'destination': destination, 'list_id': list_id}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
