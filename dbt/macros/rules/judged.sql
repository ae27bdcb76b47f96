{#- The landed rows with `problem`: name and sentence of the first rule that a row breaks, null for a good row. The rules
    stand in the YAML beside the model (`config.meta.rules`), where the suites of Great Expectations find them too.
    `seeds` names the lists that rules point at: dbt must know of them before it reads the YAML; `stream` is the one that is
    landed here, where the model reads streams of different shapes.
    `original_seq` and `original_row_no` are where a row landed first: its own place, unless an operator landed it again. -#}
{% macro judged(landed, seeds=[], stream=none) -%}
    {%- for seed in seeds -%}{%- do ref(seed) -%}{%- endfor -%}
    {%- set rules = rules_of_model(stream) -%}
    {%- set said = said_paths(rules, in_headers=false) -%}
    {%- set told = said_paths(rules, in_headers=true) -%}
    select
        landed.*,
        landed.source || '/' || landed.stream as landed_stream,
        case
        {%- for rule in rules %}
            when {{ breaks(rule, said, told) }}
                then '{{ (rule.name ~ ': ' ~ rule.says) | replace("'", "''") }}'
        {%- else %}
            when false then ''
        {%- endfor %}
        end as problem,
        {%- for place, type in {'seq': 'bigint', 'row_no': 'integer'}.items() %}
        coalesce(
            case when landed.request like '%"original"%'
                then cast({{ json_text('landed.request', ['original', place]) }} as {{ type }}) end,
            landed.{{ place }}
        ) as original_{{ place }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ landed }}.*,
            {{ json_texts('payload', said) }} as said,
            {{ json_texts('headers', told) if told else 'null' }} as told
        from {{ landed }}
    ) as landed
{%- endmacro %}
