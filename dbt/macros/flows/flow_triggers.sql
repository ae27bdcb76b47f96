{#- The occurrences of a flow's triggers that this moment looks at: of one event or several, and of what the taxonomy
    calls the same as one of them, but for what the warehouse itself read out of it. The names are those of `trigger` in
    the flow's settings. `reasons` picks those that were told with one of them. -#}
{% macro flow_triggers(event_names, reasons=none) -%}
    {%- set names = [event_names] if event_names is string else event_names -%}
    select * from {{ ref('int_flow_triggers') }}
    where (
        event_name in ('{{ names | join("', '") }}')
        or (same_as in ('{{ names | join("', '") }}') and coalesce(source, '') <> 'perennial')
    )
    {%- if reasons is not none %}
    and reason in ('{{ reasons | join("', '") }}')
    {%- endif %}
{%- endmacro %}
