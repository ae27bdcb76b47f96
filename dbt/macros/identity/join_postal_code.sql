{#- The join with `postal_codes` (a seed, or a CTE of it) of what has a country and a postal code: the country as sources write
    it, of a code of the United States the first five digits. -#}
{% macro join_postal_code(places) -%}
    left join postal_codes
        on case
            when {{ places }}.country is null or {{ places }}.country in ('USA', 'UNITED STATES') then 'US'
            else {{ places }}.country
        end = postal_codes.country
        and case
            when postal_codes.country = 'US' then substr(trim({{ places }}.postal_code), 1, 5)
            else upper(trim({{ places }}.postal_code))
        end = postal_codes.postal_code
{%- endmacro %}
