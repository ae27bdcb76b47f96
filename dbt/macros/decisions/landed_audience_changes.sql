{#- The audience changes as they were landed by the moments that saw them, in the columns of `audience_changes`. -#}
{% macro landed_audience_changes() -%}
    {{ landed_columns('audience_changes', {
        'audience_name': 'varchar', 'customer_id': 'varchar', 'change': 'varchar', 'changed_at': 'timestamp',
        'is_baseline': 'boolean', 'build_no': 'bigint'
    }) }}
{%- endmacro %}
