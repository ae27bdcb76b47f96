{#- The candidates whose occurrence was decided before: for the same subject, for the same event under another name (late
    news may rename an occurrence), for whoever is the same person now, and for whoever was the same person before a
    split. A dry run uses nothing up.
    Reads the CTEs `gates`, `former_ids` and `earlier` (flow_name, mode, trigger_key, customer_id). -#}
{% macro occurrences_decided_before(decisions) -%}
    {%- set same_flow = present_name_of('decisions.flow_name') ~ " = gates.flow_name and decisions.mode = gates.mode" -%}
    select gates.decision_id
    from gates
    inner join {{ decisions }} as decisions on gates.decision_id = decisions.decision_id

    union

    -- an event about nobody, such as a product's, is about many people: the same event of the same subject
    select gates.decision_id
    from gates
    inner join {{ decisions }} as decisions
        on gates.trigger_event_id = decisions.trigger_event_id and gates.node = decisions.subject_node
            and {{ same_flow }}

    union

    select gates.decision_id
    from gates
    inner join earlier
        on gates.flow_name = earlier.flow_name and gates.mode = earlier.mode
            and gates.trigger_key = earlier.trigger_key and gates.customer_id = earlier.customer_id

    union

    select gates.decision_id
    from gates
    inner join former_ids on gates.customer_id = former_ids.customer_id
    inner join {{ decisions }} as decisions
        on former_ids.former_customer_id = decisions.customer_id and gates.trigger_key = decisions.trigger_key
            and {{ same_flow }}
{%- endmacro %}
