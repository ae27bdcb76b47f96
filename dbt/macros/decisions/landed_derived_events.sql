{#- The events that the clock brought, as the moments that derived them landed them, in the columns of
    `int_derived_events`. -#}
{% macro landed_derived_events() -%}
    {%- set columns = {
        'event_id': 'varchar', 'event_name': 'varchar', 'subject_key': 'bigint', 'occurred_at': 'timestamp',
        'received_at': 'timestamp', 'seq': 'bigint', 'row_no': 'integer', 'node': 'varchar', 'store_id': 'varchar',
        'object_type': 'varchar', 'object_id': 'varchar', 'amount': 'decimal(18, 2)', 'properties': 'varchar',
        'build_no': 'bigint'
    } -%}
    {{ landed_columns('derived_events', columns) }}
{%- endmacro %}
