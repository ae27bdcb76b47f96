{#- The rows of a relation, each with traits of the person that its record is part of by now; null where it is nobody's.
    `tier` stays what the event told; what she has now is `her_tier`. -#}
{% macro with_person(relation, traits) -%}
    select
        {{ relation }}.*,
        map.customer_id,
        {%- for trait in traits %}
        traits.{{ trait }}{{ ' as her_tier' if trait == 'tier' }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    left join {{ ref('int_identity__map') }} as map on {{ relation }}.record_key = map.record_key
    left join {{ ref('customer_traits') }} as traits on map.customer_id = traits.customer_id
{%- endmacro %}
