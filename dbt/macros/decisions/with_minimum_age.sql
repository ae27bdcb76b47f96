{#- People, each with her local time, the age that marketing asks of her, and the day by which she must be born for it. Reads
    the CTE `age_rules`; the relation has `state`, `programme` and `time_zone`. -#}
{% macro with_minimum_age(people) -%}
    select
        ruled.*,
        cast(local_now as date) - interval '1 year' * minimum_age as must_be_born_by
    from (
        select
            people.*,
            {{ local_time(as_of(), 'people.time_zone') }} as local_now,
            coalesce(
                (
                    select min(minimum_age) from age_rules
                    where age_rules.state = people.state and age_rules.programme = people.programme
                ),
                (
                    select min(minimum_age) from age_rules
                    where age_rules.state = '*' and age_rules.programme = people.programme
                ),
                21
            ) as minimum_age
        from {{ people }} as people
    ) as ruled
{%- endmacro %}
