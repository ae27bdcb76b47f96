{#- The decisions as they were landed when they were taken, in the columns of `int_flow_decisions`. -#}
{% macro landed_decisions() -%}
    {%- set columns = {
        'decision_id': 'varchar', 'flow_name': 'varchar', 'flow_version': 'varchar', 'mode': 'varchar',
        'customer_id': 'varchar', 'subject_node': 'varchar', 'record_key': 'bigint', 'trigger_key': 'varchar',
        'trigger_event_id': 'varchar', 'triggered_at': 'timestamp', 'decided_at': 'timestamp', 'build_no': 'bigint',
        'outcome': 'varchar', 'reason': 'varchar', 'detail': 'varchar', 'flow_kind': 'varchar', 'rank': 'integer',
        'object_type': 'varchar', 'object_id': 'varchar', 'not_before': 'timestamp', 'expires_at': 'timestamp',
        'channels': 'varchar', 'destination': 'varchar', 'display_name': 'varchar', 'max_duration_seconds': 'bigint',
        'context': 'varchar', 'recipient_email': 'varchar', 'recipient_phone': 'varchar',
        'recipient_flowhub_customer_id': 'varchar'
    } -%}
    {{ landed_columns('decisions', columns, kind='decision') }}
{%- endmacro %}
