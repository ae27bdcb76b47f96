{#- What decided, as it was then: the values that the gates looked at, the enrollment that stood in the way, and when each
    source had last landed anything. -#}
{% macro decision_detail(sources) -%}
    {%- set values = {
        'email_consent': 'email_consent', 'sms_consent': 'sms_consent', 'is_email_suppressed': 'is_email_suppressed',
        'is_sms_suppressed': 'is_sms_suppressed', 'has_conflict': 'has_conflict',
        'birth_year': 'extract(year from birth_date)', 'minimum_age': 'minimum_age', 'programme': 'programme',
        'flow_programme': 'flow_programme', 'state': 'state', 'places': 'places', 'local_time': 'local_now',
        'window_ends_at': 'window_ends_at', 'rank': 'rank', 'sms_in_window': 'sms_before', 'sms_cap': 'sms_cap',
        'email_in_window': 'email_before', 'email_cap': 'email_cap', 'holdout_bucket': 'holdout_bucket',
        'holdout_percent': 'holdout_percent', 'blocked_by': 'blocked_by',
    } -%}
    {%- for source_name in sources -%}
        {%- do values.update({source_name ~ '_landed_at': source_name ~ '_at'}) -%}
    {%- endfor -%}
    {{ json_object(values) }}
{%- endmacro %}
