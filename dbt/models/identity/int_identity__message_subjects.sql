{#- Whom a report about a message is about: whoever was enrolled, where we know the enrollment; else the address itself.
    An enrollment that lands after its report was none of ours when the report came. -#}
with

feedback as (

    select
        *,
        {{ key64('enrollment_id') }} as enrollment_key
    from {{ ref('stg_messaging__feedback') }}

),

enrollments as (

    select * from {{ ref('stg_perennial__enrollments') }}

)

select
    feedback.seq,
    feedback.row_no,
    feedback.source_key,
    feedback.feedback_type,
    feedback.channel,
    feedback.address,
    feedback.enrollment_id,
    feedback.occurred_at,
    feedback.received_at,
    enrollments.subject_node is not null as is_of_enrollment,
    coalesce(enrollments.subject_node, {{ node_of('message_address', 'feedback.address') }}) as node
from feedback
left join enrollments
    on feedback.enrollment_key = enrollments.enrollment_key
        and feedback.seq > enrollments.seq
