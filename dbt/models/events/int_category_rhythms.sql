{{ config(materialized='incremental', incremental_strategy='merge', unique_key='category') }}

{#- After how many days a product of each category is usually bought again, for those who have no rhythm of their own
    with it: the median of all rhythms that are known. That reads them all, so it is done once a day of the calendar (UTC),
    and when none is known yet. -#}
with

rhythms as (

    select
        category,
        cast(floor(percentile_cont(0.5) within group (order by usual_days) + 0.5) as integer) as usual_days
    from {{ ref('int_purchase_rhythms') }}
    where usual_days is not null and category is not null
        {%- if is_incremental() %}
        and cast({{ as_of() }} as date) > (select coalesce(max(known.counted_on), date '1970-01-01') from {{ this }} as known)
        {%- endif %}
    group by category

)

select
    rhythms.category,
    rhythms.usual_days,
    cast({{ as_of() }} as date) as counted_on,
    {%- if is_incremental() %}
    -- to find again what is known is no news
    case
        when rhythms.usual_days = known.usual_days then known.changed_build_no
        else {{ build_no() }}
    end as changed_build_no
    {%- else %}
    {{ build_no() }} as changed_build_no
    {%- endif %}
from rhythms
{%- if is_incremental() %}
left join {{ this }} as known on rhythms.category = known.category
{%- endif %}
