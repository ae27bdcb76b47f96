{#- The record that a Jane cart is evidence about: the account, else the contact, else the cart itself. -#}
{% macro jane_node() -%}
    coalesce(
        {{ node_of('jane_user', 'jane_user_id') }},
        {{ node_of('jane_contact', 'coalesce(email, phone)') }},
        {{ node_of('jane_cart', 'cart_id') }}
    )
{%- endmacro %}
