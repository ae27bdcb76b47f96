{#- The rules whose breach puts a row into quarantine: those of every stream, then the model's own. Those that only warn
    are Great Expectations' alone. Empty while dbt parses. -#}
{% macro rules_of_model(stream) -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set meta = graph.nodes[model.get('tested_node_unique_id') or model.unique_id].config.meta -%}
    {%- set rules = (meta.rules_of_every_stream + meta.rules) | rejectattr('severity', 'defined') -%}
    {%- set found = [] -%}
    {%- for rule in rules if not (stream and rule.get('stream', stream) != stream) -%}{%- do found.append(rule) -%}{%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
