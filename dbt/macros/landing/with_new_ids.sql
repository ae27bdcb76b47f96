{#- The judged rows with whether each is the first good one that tells of its route's id (`is_new_id`). A re-sent delivery
    comes within days; one that is read again from the source's history has the instant that it had before. -#}
{% macro with_new_ids(judged) -%}
    select
        judged.*,
        problem is null
        and row_number() over (partition by route, route_event_id, problem is null order by seq, row_no) = 1
        {%- if is_incremental() %}
        {%- for bound in [
            "earlier.received_at >= " ~ as_of() ~ " - interval '" ~ var("duplicate_lookback_days") ~ " days'",
            "earlier.occurred_at = judged.occurred_at",
        ] %}
        and not exists (
            select 1 from {{ this }} as earlier
            where earlier.route = judged.route
                and earlier.route_event_id = judged.route_event_id
                and earlier.disposition <> 'quarantined'
                and {{ bound }}
        )
        {%- endfor %}
        {%- endif %} as is_new_id
    from {{ judged }} as judged
{%- endmacro %}
