{#- The last step of every flow: one row a candidate, from the relation that the flow prepared.

    trigger_key    names the occurrence, free of person and route: the same cart is the same occurrence from any source
    superseded_if  what the message is about has moved on
    filters        named conditions, in the order in which they are asked
    context        what the message needs: flat, with keys that stay
-#}
{% macro flow_candidates(relation, trigger_key, superseded_if='false', filters={}, context={}) -%}
    select
        '{{ model.name }}' as flow_name,
        {{ trigger_key }} as trigger_key,
        trigger_event_id,
        occurred_at as triggered_at,
        node,
        record_key,
        entered_customer_id,
        object_type,
        object_id,
        is_first_seen,
        ({{ superseded_if }}) is true as is_superseded,
        {{ failed_filter(filters) }} as failed_filter,
        {{ failed_filters(filters) }} as failed_filters,
        {{ json_object(context) }} as context
    from {{ relation }}
{%- endmacro %}
