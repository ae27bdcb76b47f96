{#- The audience changes as they were landed by the moments that saw them, in the columns of `audience_changes`. -#}
{% macro landed_audience_changes() -%}
    select
        {{ json_text('payload', ['audience_name']) }} as audience_name,
        {{ json_text('payload', ['customer_id']) }} as customer_id,
        {{ json_text('payload', ['change']) }} as change,
        {{ utc_timestamp(json_text('payload', ['changed_at'])) }} as changed_at,
        {{ json_text('payload', ['is_baseline']) }} = 'true' as is_baseline,
        cast({{ json_text('payload', ['build_no']) }} as bigint) as build_no
    from ({{ landed('perennial', ['audience_changes'], to_the_end=true) }}) as landed
{%- endmacro %}
