{#- The candidates of the flows that decide in this moment. A new flow is one more file in `models/flows`. -#}
{%- for flow in running_flows() %}
select * from {{ ref(flow) }}
{{ 'union all' if not loop.last }}
{%- else %}
select
    cast(null as varchar) as flow_name,
    cast(null as varchar) as trigger_key,
    cast(null as varchar) as trigger_event_id,
    cast(null as timestamp) as triggered_at,
    cast(null as varchar) as node,
    cast(null as bigint) as record_key,
    cast(null as varchar) as entered_customer_id,
    cast(null as varchar) as object_type,
    cast(null as varchar) as object_id,
    cast(null as boolean) as is_first_seen,
    cast(null as boolean) as is_superseded,
    cast(null as varchar) as failed_filter,
    cast(null as varchar) as failed_filters,
    cast(null as varchar) as context
where false
{%- endfor %}
