{#- How many messages a person of a relation may get on a channel, and in how many hours: by the newest rule of her state,
    else of everybody. Left joins, to be read as `cap_of`. -#}
{% macro caps_in_force() -%}
    select state, channel, max_messages, window_hours, covers_transactional
    from (
        select
            *,
            row_number() over (partition by state, channel order by valid_from desc) as recency
        from {{ ref('message_caps') }}
        where valid_from <= cast({{ as_of() }} as date)
    ) as rules
    where recency = 1
{%- endmacro %}
