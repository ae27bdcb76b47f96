{#- What was decided before about the people of the moment's candidates, by who its subject is now and under the name that
    its flow has now. An enrollment counts until it was rejected, expired, superseded or exited without having been sent;
    who left a flow after its message is no longer in it. A flow that nobody enters twice looks back for ever, any other
    one further than its re-entry.
    Reads the CTEs `gates`, `hers`, `receipts` and `exits` of `int_flow_decisions`. -#}
{% macro earlier_decisions() -%}
    {%- set ended = "coalesce(receipts.status, 'pending') in ('rejected', 'expired', 'superseded', 'exited')" -%}
    {%- set sent = "coalesce(receipts.status, 'pending') in ('accepted', 'ambiguous')" -%}
    select
        decisions.decision_id,
        {{ present_name_of('decisions.flow_name') }} as flow_name,
        decisions.mode,
        decisions.trigger_key,
        hers.customer_id,
        decisions.rank,
        decisions.flow_kind as kind,
        decisions.channels,
        greatest(decisions.decided_at, decisions.not_before) as counts_from,
        decisions.outcome = 'enrolled' and not {{ ended }} and (exits.enrollment_id is null or {{ sent }}) as is_counted,
        decisions.outcome = 'enrolled' and not {{ ended }} and exits.enrollment_id is null as is_in_flow
    from {{ this }} as decisions
    inner join hers on decisions.record_key = hers.record_key
    left join receipts on decisions.decision_id = receipts.enrollment_id
    left join exits on decisions.decision_id = exits.enrollment_id
    where decisions.decided_at >= {{ as_of() }} - interval '400 days'
        or {{ present_name_of('decisions.flow_name') }} in (
            select gates.flow_name from gates where gates.reentry_days < 0
        )
{%- endmacro %}
