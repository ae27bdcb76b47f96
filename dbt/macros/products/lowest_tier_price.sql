{#- The lowest price, in cents, of goods whose price depends on the weight bought; null where there are no tiers. -#}
{% macro lowest_tier_price(tiers) -%}
    (
        select min(coalesce(
            {{ json_field('element', 'preTaxPriceInPennies', 'decimal(18, 4)') }},
            {{ json_field('element', 'pricePerUnitInMinorUnits', 'decimal(18, 4)') }}
        ))
        from {{ json_elements(tiers) }}
    )
{%- endmacro %}
