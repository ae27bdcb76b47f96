{#- What every message about a tier gets, under the same keys; the person's points and the end of her tier are those of now. -#}
{% macro tier_context(more={}) -%}
    {%- set context = {
        'old_tier': json_text('properties', ['old_tier']), 'new_tier': 'tier',
        'tier_expires_at': iso_utc('tier_expires_at'), 'points_balance': 'points_balance',
        'benefits': json_text('properties', ['benefits']), 'next_tier': json_text('properties', ['next_tier']),
        'spend_to_next_tier': json_text('properties', ['spend_to_next_tier']),
    } -%}
    {%- do context.update(more) -%}
    {{ return(context) }}
{%- endmacro %}
