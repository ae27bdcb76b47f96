{#- The decisions about orders as they were landed when they were taken, in the columns of `int_order_pushes`. -#}
{% macro landed_order_pushes() -%}
    {%- set columns = {
        'push_id': 'varchar', 'cart_id': 'varchar', 'order_id': 'varchar', 'record_key': 'bigint',
        'customer_id': 'varchar', 'store_id': 'varchar', 'jane_store_id': 'varchar', 'channel': 'varchar',
        'verdict': 'varchar', 'reason': 'varchar', 'line_count': 'integer', 'confirmed_at': 'timestamp',
        'decided_at': 'timestamp', 'build_no': 'bigint', 'ordered_at': 'timestamp', 'first_name': 'varchar',
        'last_name': 'varchar', 'birth_date': 'varchar', 'med_or_rec': 'varchar', 'phone': 'varchar',
        'email': 'varchar', 'medical_id': 'varchar', 'order_items': 'varchar', 'street': 'varchar',
        'second_street': 'varchar', 'city': 'varchar', 'state': 'varchar', 'postal_code': 'varchar',
        'order_note': 'varchar', 'promo_code': 'varchar', 'delivery_fee_cents': 'bigint', 'requested_at': 'timestamp',
        'expires_at': 'timestamp'
    } -%}
    {{ landed_columns('decisions', columns, kind='order_push') }}
{%- endmacro %}
