with

entered as (

    {#- both notices come in the first days of the month where she is; by another clock it may be the evening before, so
        the month is that of half a day later -#}
    select
        triggers.*,
        coalesce(
            {{ json_text('triggers.properties', ['month']) }},
            substr(cast({{ local_time("triggers.occurred_at + interval '12 hours'", "'" ~ var('time_zone') ~ "'") }}
                as varchar), 1, 7)
        ) as birthday_month
    from (
        {{ flow_triggers('birth_month_entered') }}
    ) as triggers

),

people as (

    {{ with_person('entered', ['points_balance']) }}

)

{{ flow_candidates(
    'people',
    trigger_key='birthday_month',
    context={
        'month': 'birthday_month', 'benefits': json_text('properties', ['benefits']), 'points': 'amount',
        'reward_type': json_text('properties', ['reward_type']),
        'discount_code': json_text('properties', ['discount_code']),
        'expires_at': json_text('properties', ['expired_at']), 'tier': 'tier', 'points_balance': 'points_balance',
    },
) }}
