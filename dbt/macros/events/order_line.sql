{#- The fields of a line of a Flowhub order, as a mapping of name to SQL expression: a line is the same in events and in
    `fct_order_lines`. The category needs `join_category_mapping`; an order names no custom category. -#}
{% macro order_line(record) -%}
    {%- set cents = ' / 100' if var('flowhub_order_amount_unit') == 'cents' else '' -%}
    {{ return({
        'product_id': product_id_of(
            json_field(record, 'brand'), json_field(record, 'productName'), json_field(record, 'title1'),
            json_field(record, 'title2'), json_field(record, 'productId')
        ),
        'pos_product_id': json_field(record, 'productId'),
        'product_name': json_field(record, 'productName'),
        'category': mapped_category(
            'cast(null as varchar)', json_field(record, 'type'), json_field(record, 'category')
        ),
        'sku': json_field(record, 'sku'),
        'brand': json_field(record, 'brand'),
        'quantity': json_field(record, 'quantity', 'decimal(18, 4)'),
        'price': 'cast(' ~ json_field(record, 'unitPrice', 'decimal(18, 4)') ~ cents ~ ' as decimal(18, 2))',
        'discount': 'cast(' ~ json_field(record, 'totalDiscounts', 'decimal(18, 4)') ~ cents ~ ' as decimal(18, 2))',
        'total': 'cast(' ~ json_field(record, 'totalPrice', 'decimal(18, 4)') ~ cents ~ ' as decimal(18, 2))',
    }) }}
{%- endmacro %}
