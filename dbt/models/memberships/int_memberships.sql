{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['audience_name', 'customer_id']) }}

{#- The last membership of each person in each audience; what differs from the moment before comes out as a row. Nobody
    entered or left where the row is a baseline: at the first look at an audience, whose members were there before, and
    where records changed hands. The first look is that of the moment after which the project has the audience, or of the
    one that first knows people; who comes into one that was looked at and found empty has entered it. Whoever was in it under the id that she had keeps her place under the new one, and the
    id that ended, or that gave records away, leaves in silence. Cost follows the news, but for audiences that read the
    clock or more than traits, which are compared whole. -#}
-- depends_on: {{ ref('customer_id_changes') }}, {{ ref('int_customer_traits') }}, {{ ref('dim_customers') }}
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

{#- most audiences follow traits: of these only the people with news are compared -#}
{%- set following = [] -%}
{%- for audience in audience_models() if is_incremental() and follows_traits(audience) -%}
{%- do following.append(audience) -%}
{%- endfor %}

with

{%- if following %}

touched as (

    select customer_id from {{ ref('int_customer_traits') }} where {{ changed_since() }}
    union
    select customer_id from {{ ref('dim_customers') }} where {{ changed_since() }}
    union
    select old_customer_id from {{ ref('customer_id_changes') }} where {{ changed_since('build_no') }}

),
{%- endif %}

present as (

    {%- for audience in audience_models() %}
    select distinct '{{ audience }}' as audience_name, customer_id from {{ ref(audience) }}
    {%- if audience in following %} where customer_id in (select customer_id from touched) {%- endif %}
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

),

moves as (

    select
        old_customer_id,
        new_customer_id
    from {{ ref('customer_id_changes') }}
    where {{ changed_since('build_no') }}

),

brought_along as (

    select distinct
        known.audience_name,
        moves.new_customer_id as customer_id
    from moves
    inner join known on moves.old_customer_id = known.customer_id
    where known.is_member

)

select
    coalesce(present.audience_name, known.audience_name) as audience_name,
    coalesce(present.customer_id, known.customer_id) as customer_id,
    present.customer_id is not null as is_member,
    (
        coalesce(present.audience_name, known.audience_name) not in (select audience_name from known_audiences)
        {%- if not var('deploying') %}
        and not exists (select 1 from known_audiences)
        {%- endif %}
    )
        or (present.customer_id is not null and brought_along.customer_id is not null)
        or (present.customer_id is null and known.customer_id in (select old_customer_id from moves)) as is_baseline,
    {{ as_of() }} as changed_at,
    {{ build_no() }} as changed_build_no
from present
full outer join (
    select * from known
    {%- if following %}
    where audience_name not in ('{{ following | join("', '") }}') or customer_id in (select customer_id from touched)
    {%- endif %}
) as known
    on present.audience_name = known.audience_name and present.customer_id = known.customer_id
left join brought_along
    on present.audience_name = brought_along.audience_name and present.customer_id = brought_along.customer_id
where (present.customer_id is not null) <> coalesce(known.is_member, false)

{%- endif %}

{%- endif %}
