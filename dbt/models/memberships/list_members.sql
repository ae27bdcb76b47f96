{#- Of two records that became one person the newest word counts, as if she had always been one. -#}
with

changes as (

    select
        *,
        max(case when change = 'exited' then changed_at end) over (partition by list_name, customer_id) as last_left_at
    from {{ ref('list_changes') }}

)

select
    list_name,
    customer_id,
    -- being put on it once more is no second entering
    min(changed_at) as entered_at
from changes
where change = 'entered' and (last_left_at is null or changed_at > last_left_at)
group by list_name, customer_id
