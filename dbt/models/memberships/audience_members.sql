select
    audience_name,
    customer_id,
    changed_at as entered_at
from {{ ref('int_memberships') }}
where is_member
