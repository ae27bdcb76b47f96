{#- The record that a partner event is evidence about: the customer that the partner names, else the contact, else the
    device. Null for an event about nobody, such as a stock level. -#}
{% macro partner_node() -%}
    coalesce(
        {{ node_of('partner_customer', "(partner || ':' || partner_customer_id)") }},
        {{ node_of('partner_contact', 'coalesce(email, phone)') }},
        {{ node_of('device', 'device_id') }}
    )
{%- endmacro %}
