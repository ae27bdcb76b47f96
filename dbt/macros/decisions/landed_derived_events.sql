{#- The events that the clock brought, as the moments that derived them landed them, in the columns of
    `int_derived_events`. -#}
{% macro landed_derived_events() -%}
    {%- set columns = {
        'event_id': 'varchar', 'event_name': 'varchar', 'subject_key': 'bigint', 'occurred_at': 'timestamp',
        'received_at': 'timestamp', 'seq': 'bigint', 'row_no': 'integer', 'node': 'varchar', 'store_id': 'varchar',
        'object_type': 'varchar', 'object_id': 'varchar', 'amount': 'decimal(18, 2)', 'properties': 'varchar',
        'build_no': 'bigint'
    } -%}
    select
        {%- for name, type in columns.items() %}
        {% if type == 'timestamp' -%} {{ utc_timestamp(json_text('payload', [name])) }}
        {%- elif type == 'varchar' -%} {{ json_text('payload', [name]) }}
        {%- else -%} cast({{ json_text('payload', [name]) }} as {{ type }})
        {%- endif %} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ landed('perennial', ['derived_events'], to_the_end=true) }}) as landed
{%- endmacro %}
