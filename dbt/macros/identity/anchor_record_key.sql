{#- The key of the record that a person is named after: `key64` of its node, read back from the id. -#}
{% macro anchor_record_key(customer_id) -%}
    {{ return(adapter.dispatch('anchor_record_key', 'perennial')(customer_id)) }}
{%- endmacro %}

{% macro default__anchor_record_key(customer_id) -%}
    cast(cast('x0' || substr({{ customer_id }}, 3, 15) as bit(64)) as bigint)
{%- endmacro %}

{% macro duckdb__anchor_record_key(customer_id) -%}
    cast('0x' || substr({{ customer_id }}, 3, 15) as bigint)
{%- endmacro %}
