{{ config(materialized='incremental', incremental_strategy='append') }}

{%- if var('restore') %}

select
    {{ json_text('payload', ['old_customer_id']) }} as old_customer_id,
    {{ json_text('payload', ['new_customer_id']) }} as new_customer_id,
    {{ utc_timestamp(json_text('payload', ['changed_at'])) }} as changed_at,
    {{ json_text('payload', ['reason']) }} as reason,
    cast({{ json_text('payload', ['build_no']) }} as bigint) as build_no
from ({{ landed('perennial', ['customer_id_changes'], to_the_end=true) }}) as landed

{%- else %}

select distinct
    previous_customer_id as old_customer_id,
    customer_id as new_customer_id,
    changed_at,
    case
        when exists (
            select 1 from {{ ref('int_identity__map') }} as remaining
            where remaining.customer_id = changes.previous_customer_id
        ) then 'split'
        else 'merged'
    end as reason,
    cast({{ build_no() }} as bigint) as build_no
from {{ ref('int_identity__map') }} as changes
where {{ changed_since() }}
    and previous_customer_id is not null

{%- endif %}
