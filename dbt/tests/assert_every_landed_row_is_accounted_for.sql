-- Returns rows when a stream has landed rows that are neither loaded, quarantined nor a duplicate, or more of these than
-- landed.
select
    stream,
    landed_rows,
    loaded_rows,
    quarantined_rows,
    duplicate_rows,
    erased_rows
from {{ ref('landing_reconciliation') }}
where missing_rows <> 0
