{#- How flows reach people, a row a (flow, person) of a relation: her age and what she must have, the addresses that there are,
    and the channels that may be used. Reads the CTE `age_rules`. -#}
{% macro reach_of(people) -%}
    select
        aged.*,
        flow_channels like '%sms%' and phone is not null as has_sms_address,
        flow_channels like '%email%' and email is not null as has_email_address,
        -- marketing needs a yes; what serves an order needs only that nobody said stop
        flow_channels like '%sms%' and phone is not null and (
            sms_consent = 'opted_in' or (kind = 'transactional' and not is_sms_suppressed)
        ) as may_sms,
        flow_channels like '%email%' and email is not null and (
            email_consent = 'opted_in' or (email_unless_opted_out and email_consent <> 'opted_out')
            or (kind = 'transactional' and not is_email_suppressed)
        ) as may_email,
        (flow_channels like '%sms%' and phone is not null and sms_consent = 'unknown')
            or (flow_channels like '%email%' and email is not null and email_consent = 'unknown') as may_still_consent,
        -- a medical flow is for those who hold a card, a recreational one for all others
        case flow_programme
            when 'med' then coalesce(programme, 'unknown') = 'med'
            when 'rec' then coalesce(programme, 'unknown') <> 'med'
            else true
        end as is_of_programme
    from (
        {{ with_minimum_age(people) }}
    ) as aged
{%- endmacro %}
