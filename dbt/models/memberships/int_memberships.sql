{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['audience_name', 'customer_id']) }}

{#- The last membership of each person in each audience; what differs from the moment before comes out as a row. The
    first look at an audience is a baseline: its members were there before, nobody entered. -#}
{%- if var('restore') %}

select
    audience_name,
    customer_id,
    change = 'entered' as is_member,
    is_baseline,
    changed_at,
    build_no as changed_build_no
from (
    select
        *,
        row_number() over (partition by audience_name, customer_id order by build_no desc) as recency
    from ({{ landed_audience_changes() }}) as changes
) as latest
where recency = 1

{%- else %}

with

present as (

    {%- for audience in audience_models() %}
    select distinct '{{ audience }}' as audience_name, customer_id from {{ ref(audience) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

{%- if not is_incremental() %}

select
    audience_name,
    customer_id,
    true as is_member,
    true as is_baseline,
    {{ as_of() }} as changed_at,
    {{ build_no() }} as changed_build_no
from present

{%- else %}
,

known as (

    select * from {{ this }}

),

known_audiences as (

    select distinct audience_name from known

)

select
    coalesce(present.audience_name, known.audience_name) as audience_name,
    coalesce(present.customer_id, known.customer_id) as customer_id,
    present.customer_id is not null as is_member,
    coalesce(present.audience_name, known.audience_name) not in (
        select audience_name from known_audiences
    ) as is_baseline,
    {{ as_of() }} as changed_at,
    {{ build_no() }} as changed_build_no
from present
full outer join known
    on present.audience_name = known.audience_name and present.customer_id = known.customer_id
where (present.customer_id is not null) <> coalesce(known.is_member, false)

{%- endif %}

{%- endif %}
