{#- One of the totals of a Flowhub order in dollars. Key casing differs between the vendor's documents and its answers;
    the unit is a setting, because no document settles it. -#}
{% macro flowhub_total(names) -%}
    coalesce(
        {%- for name in names %}
        {{ json_text_as('totals', [name], 'decimal(18, 4)') }}{{ ', ' if not loop.last }}
        {%- endfor %}
    ) {{ '/ 100' if var('flowhub_order_amount_unit') == 'cents' }}
{%- endmacro %}
