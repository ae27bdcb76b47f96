{#- The candidates of all flows in this moment. A new flow is one more file in `models/flows`. -#}
{%- for flow in flow_models() %}
select * from {{ ref(flow) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
