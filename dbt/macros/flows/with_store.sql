{#- The occurrences of a flow's triggers, each with what the store is called in which it happened. -#}
{% macro with_store(event_names) -%}
    select
        triggers.*,
        stores.store_name
    from (
        {{ flow_triggers(event_names) }}
    ) as triggers
    left join {{ ref('int_store_names') }} as stores on triggers.store_id = stores.store_id
{%- endmacro %}
