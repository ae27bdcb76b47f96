{#- Whether news of the person may still cure the reason that a gate gave, so that the candidate waits until its window
    ends. Consent that was refused is an answer; consent that nobody has asked for may come. -#}
{% macro may_be_cured(reason) -%}
    case {{ reason }}
        when 'unknown_person' then true
        when 'no_identifier' then true
        when 'age_unknown' then true
        when 'no_consent' then may_still_consent
        else false
    end
{%- endmacro %}
