{#- The observations with what they are compared by: one normalisation of names for all sources, and the identifiers that
    are several fields together. -#}
with

observations as (

    select
        *,
        {{ name_key("split_part(full_name, ' ', 1)") }} as written_given_name,
        {{ name_key("case when full_name like '% %' then reverse(split_part(reverse(full_name), ' ', 1)) end") }}
            as surname_key
    from {{ ref('int_identity__observations') }}

),

nicknames as (

    select * from {{ ref('nicknames') }}

),

compared as (

    select
        observations.*,
        {{ key64('observations.node') }} as record_key,
        -- Bob and Robert are one name
        coalesce(nicknames.given_name, observations.written_given_name) as given_name_key
    from observations
    left join nicknames
        on observations.written_given_name = nicknames.nickname

)

select
    *,
    given_name_key || ' ' || surname_key || '|' || cast(birth_date as varchar) as name_birthday
from compared
