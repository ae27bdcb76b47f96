{#- The people whose purchases this model must read anew: of whom an order has changed, and who have become somebody else.
    Earlier ids come along, so that nothing stays under them. -#}
{% macro people_who_bought() -%}
    select map.customer_id
    from {{ ref('int_identity__map') }} as map
    inner join {{ ref('int_orders') }} as orders on map.record_key = orders.record_key
    where {{ changed_since('orders.changed_build_no') }}
    union
    select customer_id from {{ ref('int_identity__map') }} where {{ changed_since() }}
    union
    select previous_customer_id from {{ ref('int_identity__map') }}
    where {{ changed_since() }} and previous_customer_id is not null
{%- endmacro %}
