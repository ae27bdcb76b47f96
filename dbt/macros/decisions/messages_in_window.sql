{#- How many messages on a channel count in the window of a person's cap, of those that the cap is about. -#}
{% macro messages_in_window(channel) -%}
    select count(*) from earlier
    where earlier.customer_id = capped.customer_id and earlier.mode = capped.mode and earlier.is_counted
        and (earlier.kind = 'marketing' or capped.{{ channel }}_cap_covers_transactional)
        and earlier.channels like '%{{ channel }}%'
        and earlier.counts_from + capped.{{ channel }}_window_hours * interval '1 hour' > {{ as_of() }}
{%- endmacro %}
