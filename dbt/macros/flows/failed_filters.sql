{#- All named conditions of a flow that do not hold, comma-separated; empty when all do. What is asked again after the
    decision may be another one than the first. -#}
{% macro failed_filters(filters) -%}
    {%- if filters | length == 0 -%} cast('' as varchar)
    {%- else -%}
    concat_ws(
        ','
        {%- for name, condition in filters.items() %},
        case when ({{ condition }}) is not true then '{{ name }}' end
        {%- endfor %}
    )
    {%- endif -%}
{%- endmacro %}
