{#- What every message about an order gets, under the same keys; `more` is what one flow adds. -#}
{% macro order_context(more={}) -%}
    {%- set context = {
        'cart_id': 'cart_id', 'order_id': 'order_id', 'order_amount': 'order_amount', 'store_name': 'store_name',
        'reservation_mode': 'reservation_mode', 'products': 'products',
    } -%}
    {%- do context.update(more) -%}
    {{ return(context) }}
{%- endmacro %}
