{#- True when a country is one in which the GDPR holds: of the European Union, or of the European Economic Area. Sources write
    a country as its code of two letters or of three, or by its English name. -#}
{% macro within_eea(country) -%}
    ((upper(trim({{ country }})) in (
        select countries.country from {{ ref('eea_countries') }} as countries
        union all
        select countries.alpha_3 from {{ ref('eea_countries') }} as countries
        union all
        select upper(countries.country_name) from {{ ref('eea_countries') }} as countries
    )) is true)
{%- endmacro %}
