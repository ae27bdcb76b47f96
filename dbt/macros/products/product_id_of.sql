{#- The product that goods are, whatever the till calls them today: its ids and SKUs change from batch to batch, while
    brand, name and variant stay. Names are compared by their words; a name that already ends in its variant, as on a
    receipt, is the same as name and variant apart. Goods without any name are known by the till's id alone. -#}
{% macro product_id_of(brand, name, title, variant, pos_product_id) -%}
    'p_' || substr(md5(concat_ws('|',
        coalesce({{ words_of(brand) }}, ''),
        coalesce(
            case
                when {{ words_of(name) }} = {{ words_of(variant) }}
                    or {{ words_of(name) }} like '% ' || {{ words_of(variant) }}
                    then {{ words_of(name) }}
            end,
            nullif(concat_ws(' ', coalesce({{ words_of(name) }}, {{ words_of(title) }}), {{ words_of(variant) }}), ''),
            'id ' || {{ pos_product_id }},
            ''
        )
    )), 1, 16)
{%- endmacro %}
