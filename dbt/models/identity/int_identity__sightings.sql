{#- The observations with what they are compared by: one normalisation of names for all sources, and the identifiers
    that are several fields together. -#}
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
        coalesce(nicknames.given_name, observations.written_given_name) as given_name_key,
        cast(observations.birth_date as varchar) as birthday,
        nullif(regexp_replace(lower(observations.street_address), '[^a-z0-9]', '', 'g'), '') as street
    from observations
    left join nicknames
        on observations.written_given_name = nicknames.nickname

),

named as (

    select
        *,
        -- in either order: a form has been filled in the wrong way round before
        case when given_name_key is not null and surname_key is not null
            then least(given_name_key, surname_key) || '|' || greatest(given_name_key, surname_key)
        end as both_names
    from compared

)

select
    *,
    both_names || '|' || birthday as name_birthday,
    birthday || '|' || street as birthday_street,
    given_name_key || '|' || birthday || '|' || postal_code as given_name_birthday_postal_code,
    surname_key || '|' || birthday || '|' || postal_code as surname_birthday_postal_code,
    both_names || '|' || street as name_street,
    given_name_key || '|' || street || '|' || postal_code as given_name_home,
    surname_key || '|' || street || '|' || postal_code as surname_home,
    email || '|' || phone as email_and_phone,
    both_names || '|' || substr(phone, length(phone) - 3) as name_phone_end
from named
