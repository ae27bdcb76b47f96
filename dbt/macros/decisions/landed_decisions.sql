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
    {%- set fields = {} -%}
    {%- for name, type in columns.items() -%}
        {%- do fields.update({name: 'BIGINT' if type in ('bigint', 'integer') else 'VARCHAR'}) -%}
    {%- endfor -%}
    select
        {%- for name, type in columns.items() %}
        {% if type == 'timestamp' -%} {{ utc_timestamp(json_field('record', name)) }}
        {%- else -%} {{ json_field('record', name, type) }}
        {%- endif %} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select {{ json_record('payload', fields) }} as record
        from ({{ landed('perennial', ['decisions'], to_the_end=true) }}) as landed
        where {{ json_text('payload', ['kind']) }} = 'decision'
    ) as decisions
{%- endmacro %}
