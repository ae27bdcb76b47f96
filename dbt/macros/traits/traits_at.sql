{#- The traits that each person had at an instant, as a query on `customer_trait_history`: what the last moment up to
    then had found. Who had become part of another by then has no row. -#}
{% macro traits_at(instant) -%}
    select *
    from (
        select
            *,
            row_number() over (partition by customer_id order by build_no desc) as recency
        from {{ ref('customer_trait_history') }}
        where valid_from <= {{ instant }}
    ) as known
    where recency = 1 and not has_ended
{%- endmacro %}
