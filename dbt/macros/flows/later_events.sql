{#- When something last happened to what the rows of a relation are about: `column` is `object_id` for an order or a cart,
    `record_key` for a record. Looked for in 35 days: no window is longer. -#}
{% macro later_events(relation, column, event_names) -%}
    select {{ column }}, max(occurred_at) as later_at
    from {{ ref('int_events') }}
    where event_name in ('{{ event_names | join("', '") }}')
        and occurred_at >= {{ as_of() }} - interval '35 days'
        and {{ column }} in (select {{ relation }}.{{ column }} from {{ relation }})
    group by {{ column }}
{%- endmacro %}
