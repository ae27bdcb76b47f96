{#- Where the people of a relation (customer_id, state, phone, store_id) may be, one row a person and place: the state of
    the address and the zones of the area code, for both may be true; where neither is known, those of the store in which it happened,
    under whichever name the event has it, else of her own. -#}
{% macro places_of(people) -%}
    select {{ people }}.customer_id, states.state, states.time_zone
    from {{ people }}
    inner join {{ ref('states') }} as states on {{ people }}.state = states.state

    union

    select {{ people }}.customer_id, area_codes.state, area_codes.time_zone
    from {{ people }}
    inner join {{ ref('area_codes') }} as area_codes on {{ area_code_of(people ~ '.phone') }} = area_codes.area_code

    union

    select
        placeless.customer_id,
        coalesce(visited.state, usual.state, '*'),
        coalesce(visited.time_zone, usual.time_zone, '{{ var("time_zone") }}')
    from (
        select people.*
        from {{ people }} as people
        left join {{ ref('states') }} as states on people.state = states.state
        left join {{ ref('area_codes') }} as area_codes on {{ area_code_of('people.phone') }} = area_codes.area_code
        where people.customer_id is not null and states.state is null and area_codes.area_code is null
    ) as placeless
    left join {{ ref('customer_traits') }} as traits on placeless.customer_id = traits.customer_id
    left join {{ ref('int_jane_stores') }} as jane_stores on placeless.store_id = jane_stores.jane_store_id
    left join ({{ store_states() }}) as visited
        on coalesce(jane_stores.store_id, placeless.store_id) = visited.store_id
    left join ({{ store_states() }}) as usual on traits.favourite_store_id = usual.store_id
{%- endmacro %}
