{#- The texts at several paths of a JSON text, such as `totals.finalTotal`, as one list that is parsed once; null where
    the text is not JSON. A path into the headers begins with `headers.`. -#}
{% macro json_texts(column, paths) -%}
    {%- set steps = [] -%}
    {%- for path in paths -%}
        {%- set inside = path.removeprefix('headers.') -%}
        {%- do steps.append([inside] if path.startswith('headers.') else inside.split('.')) -%}
    {%- endfor -%}
    {{ return(adapter.dispatch('json_texts', 'perennial')(column, steps)) }}
{%- endmacro %}

{% macro default__json_texts(column, steps) -%}
    (
        select array[
            {%- for path in steps %} document #>> '{"{{ path | join('","') }}"}'{{ ',' if not loop.last }}{% endfor -%}
        ]::text[]
        from (
            select case when pg_input_is_valid({{ column }}, 'jsonb') then cast({{ column }} as jsonb) end as document
        ) as parsed
        where document is not null
    )
{%- endmacro %}

{% macro duckdb__json_texts(column, steps) -%}
    try(json_extract_string({{ column }}, cast([
        {%- for path in steps %} '$."{{ path | join('"."') }}"'{{ ',' if not loop.last }}{% endfor -%}
    ] as varchar[])))
{%- endmacro %}
