{#- The state and its time zone of each location, as its newest record says. -#}
{% macro store_states() -%}
    select locations.store_id, states.state, states.time_zone
    from (
        select
            store_id,
            state_name,
            row_number() over (partition by store_id order by seq desc, row_no desc) as recency
        from {{ ref('stg_flowhub__locations') }}
    ) as locations
    inner join {{ ref('states') }} as states
        on locations.recency = 1 and locations.state_name in (states.state, states.state_name)
{%- endmacro %}
