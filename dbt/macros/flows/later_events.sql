{#- When something last happened to what the rows of a relation are about: `column` is `object_id` for an order or a cart,
    `record_key` for a person, of whom any record will do: who looked about as a device may go on under her account. Looked
    for in 35 days: no window is longer. -#}
{% macro later_events(relation, column, event_names) -%}
    {%- if column == 'record_key' -%}
    select
        hers.record_key,
        max(events.occurred_at) as later_at
    from (
        select record_key, record_key as her_record_key from {{ relation }}
        union
        select {{ relation }}.record_key, map.record_key
        from {{ relation }}
        inner join {{ ref('int_identity__map') }} as map on {{ relation }}.customer_id = map.customer_id
    ) as hers
    inner join {{ ref('int_events') }} as events on hers.her_record_key = events.record_key
    where events.event_name in ('{{ event_names | join("', '") }}')
        and events.occurred_at >= {{ as_of() }} - interval '35 days'
    group by hers.record_key
    {%- else -%}
    select {{ column }}, max(occurred_at) as later_at
    from {{ ref('int_events') }}
    where event_name in ('{{ event_names | join("', '") }}')
        and occurred_at >= {{ as_of() }} - interval '35 days'
        and {{ column }} in (select {{ relation }}.{{ column }} from {{ relation }})
    group by {{ column }}
    {%- endif %}
{%- endmacro %}
