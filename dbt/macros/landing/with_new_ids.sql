{#- The judged rows with whether each is the first good one that tells of its route's id (`is_new_id`), and that id as a
    number (`delivery_key`). -#}
{% macro with_new_ids(judged) -%}
    {%- set key = key64("route || '|' || route_event_id") -%}
    select
        keyed.*,
        keyed.problem is null
        and row_number() over (
            partition by keyed.delivery_key, keyed.problem is null order by keyed.seq, keyed.row_no
        ) = 1
        {%- if is_incremental() %}
        and known.delivery_key is null
        {%- endif %} as is_new_id
    from (select judged.*, {{ key }} as delivery_key from {{ judged }} as judged) as keyed
    {%- if is_incremental() %}
    left join (
        {{ known_keys('delivery_key', 'select ' ~ key ~ ' from ' ~ judged, "disposition <> 'quarantined'") }}
    ) as known
        on keyed.delivery_key = known.delivery_key
    {%- endif %}
{%- endmacro %}
