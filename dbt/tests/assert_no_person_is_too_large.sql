-- Returns rows when more records than one person can have were joined to one: a shared value slipped past the guards.
select
    customer_id,
    count(*) as record_count
from {{ ref('int_identity__map') }}
group by customer_id
having count(*) > 200
