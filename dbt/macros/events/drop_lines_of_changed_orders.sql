{#- Take away the lines of orders that have news: a version without lines would leave the old ones. -#}
{% macro drop_lines_of_changed_orders() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where order_id in (select order_id from {{ ref('stg_flowhub__orders') }} where {{ is_news() }})
    {%- endif -%}
{%- endmacro %}
