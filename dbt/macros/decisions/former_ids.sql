{#- Whom the people of the CTE `gates` were part of before a split gave them ids of their own. -#}
{% macro former_ids() -%}
    select
        old_customer_id as customer_id,
        new_customer_id as former_customer_id
    from {{ ref('customer_id_changes') }}
    where old_customer_id in (select customer_id from gates)
{%- endmacro %}
