{{ config(materialized='incremental', incremental_strategy='append') }}

{#- Whom the messaging systems were told to write to, as it landed: reports about a message come long after, and name
    the enrollment only. Cost follows the news. -#}
with

decisions as (

    select
        seq,
        row_no,
        {{ json_record('payload', {
            'kind': 'VARCHAR', 'decision_id': 'VARCHAR', 'outcome': 'VARCHAR', 'mode': 'VARCHAR',
            'subject_node': 'VARCHAR', 'flow_name': 'VARCHAR', 'trigger_event_id': 'VARCHAR',
            'triggered_at': 'VARCHAR', 'not_before': 'VARCHAR', 'expires_at': 'VARCHAR'
        }) }} as record
    from ({{ landed('perennial', ['decisions']) }}) as landed

)

select
    seq,
    row_no,
    {{ json_field('record', 'decision_id') }} as enrollment_id,
    {{ key64(json_field('record', 'decision_id')) }} as enrollment_key,
    {{ json_field('record', 'flow_name') }} as flow_name,
    {{ json_field('record', 'trigger_event_id') }} as trigger_event_id,
    {{ json_field('record', 'subject_node') }} as subject_node,
    {{ utc_timestamp(json_field('record', 'triggered_at')) }} as triggered_at,
    {{ utc_timestamp(json_field('record', 'not_before')) }} as not_before,
    {{ utc_timestamp(json_field('record', 'expires_at')) }} as expires_at
from decisions
where {{ json_field('record', 'kind') }} = 'decision'
    and {{ json_field('record', 'outcome') }} = 'enrolled'
    and {{ json_field('record', 'mode') }} = 'live'
