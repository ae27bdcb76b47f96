{#- True for the orders that count: a Jane order counts until the order that the point of sale made of it is here. -#}
{% macro is_counted_order(orders) -%}
    ({{ orders }}.pos_order_id is null or {{ orders }}.pos_order_id not in (
        select taken_over.order_id from {{ ref('int_orders') }} as taken_over where taken_over.pos_order_id is null
    ))
{%- endmacro %}
