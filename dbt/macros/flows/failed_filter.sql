{#- The first named condition of a flow that does not hold; null when all do. A condition that is null does not hold. -#}
{% macro failed_filter(filters) -%}
    {%- if filters | length == 0 -%} cast(null as varchar)
    {%- else -%}
    case
    {%- for name, condition in filters.items() %}
        when ({{ condition }}) is not true then '{{ name }}'
    {%- endfor %}
    end
    {%- endif -%}
{%- endmacro %}
