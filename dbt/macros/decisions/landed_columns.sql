{#- What one of our own streams holds, as the columns that were landed: a mapping of name to type. Read to the end of the log,
    for a rebuild to restore; `kind` picks the rows of a stream that holds several kinds. -#}
{% macro landed_columns(stream, columns, kind=none) -%}
    {%- set json_types = {
        'bigint': 'BIGINT', 'integer': 'BIGINT', 'boolean': 'BOOLEAN', 'decimal(18, 2)': 'DECIMAL(18,2)'
    } -%}
    {%- set fields = {} -%}
    {%- for name, type in columns.items() -%}
        {%- do fields.update({name: json_types.get(type, 'VARCHAR')}) -%}
    {%- endfor -%}
    select
        {%- for name, type in columns.items() %}
        {% if type == 'timestamp' -%} {{ utc_timestamp(json_field('record', name)) }}
        {%- else -%} {{ json_field('record', name, type) }}
        {%- endif %} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select {{ json_record('payload', fields) }} as record
        from ({{ landed('perennial', [stream], to_the_end=true) }}) as landed
        {%- if kind is not none %}
        where {{ json_text('payload', ['kind']) }} = '{{ kind }}'
        {%- endif %}
    ) as records
{%- endmacro %}
