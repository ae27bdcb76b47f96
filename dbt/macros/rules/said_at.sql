{#- The text that a landed row has at a path, trimmed; null where it is missing or blank. `said` and `told` are the paths
    whose texts the columns of those names hold, in order. -#}
{% macro said_at(path, said, told) -%}
    {%- if path.startswith('envelope.') -%}
    nullif(trim(cast(landed.{{ path.removeprefix('envelope.') }} as varchar)), '')
    {%- elif path.startswith('headers.') -%}
    nullif(trim(landed.told[{{ told.index(path) + 1 }}]), '')
    {%- else -%}
    nullif(trim(landed.said[{{ said.index(path) + 1 }}]), '')
    {%- endif -%}
{%- endmacro %}
