-- Returns rows when an enrollment that may still be sent names a channel which the seed does not allow its destination.
with

ways as (

    {%- for channel in ['sms', 'email'] %}
    select
        decision_id,
        destination,
        '{{ channel }}' as channel
    from {{ ref('int_flow_decisions') }}
    where outcome = 'enrolled'
        and mode = 'live'
        and expires_at >= {{ as_of() }}
        and ',' || channels || ',' like '%,{{ channel }},%'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    ways.decision_id,
    ways.destination,
    ways.channel,
    rules.reason
from ways
left join {{ ref('channel_rules') }} as rules
    on ways.destination = rules.destination
        and ways.channel = rules.channel
        and rules.vertical = '{{ var("vertical") }}'
where rules.is_allowed is not true
