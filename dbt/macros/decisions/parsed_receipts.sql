{#- The judged receipts of the push, typed. `ids` names what a receipt is about: a mapping of column to the payload's key. -#}
{% macro parsed_receipts(judged, ids) -%}
    {%- set fields = {
        'receipt_no': 'BIGINT', 'destination': 'VARCHAR', 'status': 'VARCHAR', 'attempts': 'INTEGER',
        'accepted_at': 'VARCHAR', 'error': 'VARCHAR', 'at': 'VARCHAR'
    } -%}
    {%- for key in ids.values() -%}{%- do fields.update({key: 'VARCHAR'}) -%}{%- endfor -%}
    select
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'receipt_no', 'bigint') }} as receipt_no,
        {%- for column, key in ids.items() %}
        {{ json_field('record', key) }} as {{ column }},
        {%- endfor %}
        {{ json_field('record', 'destination') }} as destination,
        {{ json_field('record', 'status') }} as status,
        {{ json_field('record', 'attempts', 'integer') }} as attempts,
        {{ json_field('record', 'error') }} as error,
        {{ utc_timestamp(json_field('record', 'accepted_at')) }} as accepted_at,
        {{ utc_timestamp(json_field('record', 'at')) }} as occurred_at,
        received_at,
        landed_stream,
        problem,
        payload
    from (select judged.*, {{ json_record('payload', fields) }} as record from {{ judged }} as judged) as records
{%- endmacro %}
