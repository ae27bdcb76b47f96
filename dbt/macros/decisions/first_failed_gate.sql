{#- The gates that need no earlier decision, in their order: the first that a candidate fails is the reason. The seed
    `reasons` has a sentence for each. -#}
{% macro first_failed_gate() -%}
    case
        when is_superseded then 'superseded'
        when is_first_seen and window_ends_at < {{ as_of() }} then 'late'
        when customer_id is null then 'unknown_person'
        when has_conflict and kind = 'marketing' then 'conflict'
        when not has_sms_address and not has_email_address then 'no_identifier'
        when kind = 'marketing' and birth_date > must_be_born_by then 'under_age'
        when kind = 'marketing' and birth_date is null then 'age_unknown'
        when not is_of_programme then 'programme'
        when kind = 'marketing' and not may_sms and not may_email then 'no_consent'
        when not may_sms and not may_email then 'suppressed'
        when failed_filter is not null then 'filter:' || failed_filter
        -- it waited, was cured, and its time is over
        when window_ends_at < {{ as_of() }} then 'late'
    end
{%- endmacro %}
