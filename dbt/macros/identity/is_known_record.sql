{#- True for a record that somebody is known by: more than a browser, a cart without an account or an address, or an address
    that something was written to. -#}
{% macro is_known_record(record_type) -%}
    ({{ record_type }} not in ('device', 'jane_cart', 'message_address'))
{%- endmacro %}
