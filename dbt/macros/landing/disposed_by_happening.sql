{#- Like `disposed`, for happenings that reach us by several routes, each with ids of its own (`route`, `route_event_id`).
    `happening_key` is a hash of what the routes have in common, `occurred_at` among it. The first, second … id of a route
    with the same key is its first, second … equal happening (`occurrence_no`); the n-th of one route is the n-th of the
    other, and whichever row landed first is `loaded`. A repeated id is a `duplicate` and counts for nothing. Old rows are
    found by their own instant, so that a history that is read again, or by the other route for the first time, doubles
    nothing. -#}
{% macro disposed_by_happening(judged) -%}
    select
        {{ without_payload('numbered') }},
        case when problem is not null then payload end as rejected_payload,
        case
            when {{ is_erased('payload') }} then 'erased'
            when problem is not null then 'quarantined'
            when occurrence_no is null then 'duplicate'
            when row_number() over (partition by happening_key, occurrence_no order by seq, row_no) > 1 then 'duplicate'
            {%- if is_incremental() %}
            when exists (
                select 1 from ({{ told_before(judged) }}) as earlier
                where earlier.happening_key = numbered.happening_key
                    and earlier.occurrence_no = numbered.occurrence_no
                    and earlier.disposition = 'loaded'
            ) then 'duplicate'
            {%- endif %}
            else 'loaded'
        end as disposition
    from (
        select
            told.*,
            case when is_new_id then
                row_number() over (partition by route, happening_key, is_new_id order by seq, row_no)
                {%- if is_incremental() %}
                + coalesce((
                    select max(earlier.occurrence_no) from ({{ told_before(judged) }}) as earlier
                    where earlier.route = told.route and earlier.happening_key = told.happening_key
                ), 0)
                {%- endif %}
            end as occurrence_no
        from ({{ with_new_ids(judged) }}) as told
    ) as numbered
{%- endmacro %}
