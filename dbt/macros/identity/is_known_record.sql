{#- True for a record that somebody is known by: more than a browser, or a cart without an account or an address. -#}
{% macro is_known_record(record_type) -%}
    ({{ record_type }} not in ('device', 'jane_cart'))
{%- endmacro %}
