{#- What every message about a cart gets, under the same keys; `more` is what one flow adds. -#}
{% macro cart_context(more={}) -%}
    {%- set context = {
        'cart_id': 'cart_id', 'cart_amount': 'cart_amount', 'store_name': 'store_name',
        'reservation_mode': 'reservation_mode', 'products': 'products',
    } -%}
    {%- do context.update(more) -%}
    {{ return(context) }}
{%- endmacro %}
