{{ config(materialized='table', tags=['scheduled']) }}

{#- What people look up; decisions read the builder's own table. -#}
{%- set renames = var('flow_renames') %}
select
    flow_name,
    cast(
        {%- if renames %}
        case flow_name
            {%- for name in renames.values() | unique %}
            when '{{ name }}' then '{{ renames | dictsort | selectattr(1, 'equalto', name) | map(attribute=0) | join(',') }}'
            {%- endfor %}
        end
        {%- else %} null
        {%- endif %} as varchar
    ) as previous_names,
    flow_version,
    display_name,
    status,
    active_since,
    kind,
    trigger_event as triggers,
    window_seconds,
    channels,
    destination,
    reentry_days,
    rank,
    email_unless_opted_out,
    coalesce(programme, 'any') as programme
from {{ source('ops', 'flow_settings') }}
