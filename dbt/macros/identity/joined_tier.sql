{#- The statements that take one tier's step: `<name> (record_key, component)`, the people of `earlier` joined further by
    the tier's values where nothing contradicts it.
    What the tier knows of a person is what the tiers before have put together, so that a record without a name can be
    joined by the name of the one that it was joined to. A value that two given names, two birth dates or the two sides of
    a `do_not_link` hold is contested, and joins those only who agree:
    - on the birth date and the first letter of the name (a typo in a name is no other person; twins differ in it); where a
      name has one birth date among those who hold the value, who tells none is taken to have that one;
    - where nobody of that name tells a birth date, on the given name;
    - `unless_all_differ`: on any of birth date, given name and surname; `always`: whatever they say of themselves;
    - `attach`: not at all; it joins what is nobody's yet to the one person who holds the value. -#}
{% macro joined_tier(name, earlier, tier) -%}
{{ name }}_people as (

    select
        earlier.component,
        min(looked_at.given_name_key) as given_name,
        min(looked_at.surname_key) as surname,
        min(looked_at.birth_date) as birth_date,
        coalesce(min(looked_at.sides), '') as sides,
        bool_or(looked_at.is_known) as is_known
    from {{ earlier }} as earlier
    inner join looked_at on earlier.record_key = looked_at.record_key
    group by earlier.component

),

{{ name }}_held as (

    select distinct
        claims.link_key,
        claims.link_mode,
        people.*
    from claims
    inner join {{ earlier }} as earlier on claims.record_key = earlier.record_key
    inner join {{ name }}_people as people on earlier.component = people.component
    where claims.tier = {{ tier }}

),

{{ name }}_judged as (

    select
        *,
        coalesce(
            min(given_name) over of_value <> max(given_name) over of_value
            or min(birth_date) over of_value <> max(birth_date) over of_value
            or min(sides) over of_value <> max(sides) over of_value,
            false
        ) as is_contested,
        coalesce(birth_date, case
            when min(birth_date) over of_value_and_name = max(birth_date) over of_value_and_name
                then min(birth_date) over of_value_and_name
        end) as likely_birth_date,
        coalesce(given_name, case
            when min(given_name) over of_value_and_birth = max(given_name) over of_value_and_birth
                then min(given_name) over of_value_and_birth
        end) as likely_given_name,
        count(*) filter (where is_known) over of_value as known_people
    from {{ name }}_held
    window
        of_value as (partition by link_key),
        of_value_and_name as (partition by link_key, given_name),
        of_value_and_birth as (partition by link_key, birth_date)

),

{{ name }}_ties as (

    select component, link_key as tie
    from {{ name }}_judged
    where (link_mode = 'attach' and known_people <= 1)
        or (link_mode <> 'attach' and not is_contested)
    union all
    select component, {{ key64("link_key || '|' || sides") }} as tie
    from {{ name }}_judged
    where is_contested and link_mode = 'always'
    union all
    select
        component,
        {{ key64("link_key || '|' || sides || '|' || likely_birth_date || '|' || coalesce(substr(likely_given_name, 1, 1), '')") }}
            as tie
    from {{ name }}_judged
    where is_contested and link_mode in ('unless_contradicted', 'unless_all_differ')
        and likely_birth_date is not null
    union all
    select component, {{ key64("link_key || '|' || sides || '|given|' || given_name") }} as tie
    from {{ name }}_judged
    where is_contested and given_name is not null
        and (
            link_mode = 'unless_all_differ'
            or (link_mode = 'unless_contradicted' and likely_birth_date is null)
        )
    union all
    select component, {{ key64("link_key || '|' || sides || '|surname|' || surname") }} as tie
    from {{ name }}_judged
    where is_contested and surname is not null and link_mode = 'unless_all_differ'

),

{{ joined_by(name ~ '_joined', name ~ '_ties') }},

{{ name }} as (

    select
        earlier.record_key,
        coalesce(joined.component, earlier.component) as component
    from {{ earlier }} as earlier
    left join {{ name }}_joined as joined on earlier.component = joined.id

)
{%- endmacro %}
