select
    changes.event_id,
    changes.list_name,
    people.customer_id,
    changes.change,
    changes.changed_at
from {{ ref('int_list_changes') }} as changes
inner join {{ ref('int_identity__map') }} as map on changes.record_key = map.record_key
-- a device is nobody yet
inner join {{ ref('dim_customers') }} as people on map.customer_id = people.customer_id
