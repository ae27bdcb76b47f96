{#- The record that an OMNI event is evidence about: the Shopify customer, else the contact. -#}
{% macro omni_node() -%}
    coalesce(
        {{ node_of('shopify_customer', 'shopify_customer_id') }},
        {{ node_of('omni_contact', 'coalesce(email, phone)') }}
    )
{%- endmacro %}
