{#- The lines of carts, typed: give a relation with `cart_id` and `products` (Jane's JSON list). A line without a count is
    one unit; a product is what outlives the till's batches. -#}
{% macro cart_lines(carts) -%}
    select
        carts.cart_id,
        cast(elements.element_no as integer) as line_no,
        {{ json_field('elements.element', 'product_id') }} as jane_product_id,
        {{ json_field('elements.element', 'product_name') }} as product_name,
        {{ product_id_of(
            json_field('elements.element', 'brand'), json_field('elements.element', 'product_name'),
            'cast(null as varchar)', 'cast(null as varchar)', json_field('elements.element', 'product_id')
        ) }} as product_id,
        coalesce({{ json_field('elements.element', 'count', 'integer') }}, 1) as quantity,
        {{ json_field('elements.element', 'checkout_price', 'decimal(18, 2)') }} as price,
        {{ json_field('elements.element', 'discounted_checkout_price', 'decimal(18, 2)') }} as discounted_price
    from (
        select
            cart_id,
            {{ json_record('products', [{
                'product_id': 'VARCHAR', 'product_name': 'VARCHAR', 'brand': 'VARCHAR', 'count': 'INTEGER',
                'checkout_price': 'DECIMAL(18,2)', 'discounted_checkout_price': 'DECIMAL(18,2)'
            }]) }} as products
        from {{ carts }}
        where products is not null
    ) as carts
    cross join {{ json_elements('carts.products') }}
{%- endmacro %}
