{#- A trait as it stands in a flat JSON: a number as it is, an instant in ISO 8601, null where it is not known. -#}
{% macro trait_json(trait, column) -%}
    {%- set texts = [
        'email_consent', 'sms_consent', 'lifecycle_stage', 'favourite_category', 'favourite_brand',
        'favourite_store_id', 'tier', 'member_status', 'assigned_budtender', 'last_budtender', 'pricing_tiers', 'tags',
        'properties', 'atdata', 'programme',
    ] -%}
    {%- if trait.endswith('_at') -%}
        {%- set value = "'\"' || " ~ iso_utc(column) ~ " || '\"'" -%}
    {%- elif trait in texts -%}
        {%- set value = json_value(column) -%}
    {%- else -%}
        {%- set value = 'cast(' ~ column ~ ' as varchar)' -%}
    {%- endif -%}
    {{ return('coalesce(' ~ value ~ ", 'null')") }}
{%- endmacro %}
