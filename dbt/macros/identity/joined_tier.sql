{#- The statements that take one tier's step: `<name> (record_key, component)`, the people of `earlier` joined further by
    the tier's values where nothing contradicts it.
    What the tier knows of a person is what the tiers before have put together, so that a record without a name can be
    joined by the name of the one that it was joined to. A value that two given names, two birth dates or the two sides of
    a `do_not_link` hold is contested, and joins those only who agree:
    - on the birth date and the first letter of the name (a typo in a name is no other person; twins differ in it); where a
      name has one birth date among those who hold the value, who tells none is taken to have that one;
    - where nobody of that name tells a birth date, on the given name;
    - `unless_born_apart`: as above, but names contest nothing; `always`: whatever they say of themselves;
    - `attach`: not at all; it joins what is nobody's yet to the one person who holds the value. -#}
{% macro joined_tier(name, earlier, tier) -%}
{{ name }}_people as (

    {#- a person may be written in several ways by now: one row for each -#}
    select
        earlier.component,
        looked_at.given_name_key as given_name,
        looked_at.surname_key as surname,
        looked_at.birth_date,
        coalesce(min(min(looked_at.sides)) over of_person, '') as sides,
        bool_or(bool_or(looked_at.is_known)) over of_person as is_known
    from {{ earlier }} as earlier
    inner join looked_at on earlier.record_key = looked_at.record_key
    group by earlier.component, looked_at.given_name_key, looked_at.surname_key, looked_at.birth_date
    window of_person as (partition by earlier.component)

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

{{ name }}_read as (

    {#- one spelling for the names and dates of those who hold a value, where only a slip tells them apart -#}
    select
        held.link_key,
        held.link_mode,
        held.component,
        held.sides,
        held.is_known,
        held.surname,
        coalesce(
            min(other.given_name) filter (where {{ one_name('held', 'other') }}), held.given_name
        ) as given_name,
        coalesce(
            min(other.birth_date) filter (
                where {{ one_name('held', 'other') }} and {{ one_birth_date('held.birth_date', 'other.birth_date') }}
            ), held.birth_date
        ) as birth_date
    from {{ name }}_held as held
    inner join {{ name }}_held as other on held.link_key = other.link_key
    group by
        held.link_key, held.link_mode, held.component, held.sides, held.is_known, held.surname, held.given_name,
        held.birth_date

),

{{ name }}_judged as (

    select
        *,
        coalesce(
            (link_mode <> 'unless_born_apart' and min(given_name) over of_value <> max(given_name) over of_value)
            or min(birth_date) over of_value <> max(birth_date) over of_value
            or min(nullif(sides, '')) over of_value <> max(nullif(sides, '')) over of_value,
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
        coalesce(
            min(case when is_known then component end) over of_value
            = max(case when is_known then component end) over of_value,
            true
        ) as is_one_persons
    from {{ name }}_read
    window
        of_value as (partition by link_key),
        of_value_and_name as (partition by link_key, given_name),
        of_value_and_birth as (partition by link_key, birth_date)

),

{{ name }}_ties as (

    select component, link_key as tie
    from {{ name }}_judged
    where (link_mode = 'attach' and is_one_persons)
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
    where is_contested and link_mode in ('unless_contradicted', 'unless_born_apart')
        and likely_birth_date is not null
    union all
    select
        component,
        {{ key64("link_key || '|' || sides || '|' || likely_birth_date
                 || '|' || least(substr(given_name, 1, 1), substr(surname, 1, 1))
                 || greatest(substr(given_name, 1, 1), substr(surname, 1, 1))") }} as tie
    from {{ name }}_judged
    where is_contested and link_mode in ('unless_contradicted', 'unless_born_apart')
        and likely_birth_date is not null
        and given_name is not null
        and surname is not null
    union all
    select component, {{ key64("link_key || '|' || sides || '|' || given_name") }} as tie
    from {{ name }}_judged
    where is_contested and link_mode in ('unless_contradicted', 'unless_born_apart')
        and likely_birth_date is null
        and given_name is not null

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
