-- Returns rows when an integration sends an event under a name that has no row in the taxonomy, or a row that does not
-- list it; what partners send under names of their own is a custom event, and listed as such.
select
    names.event_name,
    names.source
from {{ ref('int_event_names') }} as names
left join {{ ref('event_types') }} as types on names.event_name = types.event_name
left join {{ ref('custom_events') }} as custom_events
    on names.event_name = custom_events.event_name and names.source = custom_events.partner
where custom_events.event_name is null
    and (
        types.event_name is null
        or (
            position(' ' || names.source || ' ' in ' ' || types.available_from || ' ') = 0
            -- any other source is a partner
            and exists (
                select 1 from {{ ref('event_types') }} as listed
                where position(' ' || names.source || ' ' in ' ' || listed.available_from || ' ') > 0
            )
        )
    )
