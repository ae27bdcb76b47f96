-- Returns rows when a person, as she is known by now, was enrolled more than once for one occurrence of a flow by
-- decisions of different moments: a merge, a retry or a second worker got past the check.
select
    enrollments.flow_name,
    enrollments.trigger_key,
    enrollments.customer_id
from {{ ref('flow_enrollments') }} as enrollments
left join {{ ref('customer_id_changes') }} as changes
    on enrollments.customer_id = changes.new_customer_id and enrollments.enrolled_at < changes.changed_at
-- two who became one person after both were enrolled are no mistake: the push sends the first, supersedes the other
where changes.new_customer_id is null
group by enrollments.flow_name, enrollments.trigger_key, enrollments.customer_id
having count(*) > 1
