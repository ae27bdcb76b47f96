{{ config(materialized='incremental', incremental_strategy='append') }}

{%- if var('restore') %}

{{ landed_audience_changes() }}

{%- else %}

select
    audience_name,
    customer_id,
    case when is_member then 'entered' else 'exited' end as change,
    changed_at,
    is_baseline,
    {{ build_no() }} as build_no
from {{ ref('int_memberships') }}
where {{ changed_since() }}

{%- endif %}
