with

views as (

    {{ with_store('viewed_brand') }}

),

people as (

    {{ with_person('views', ['last_order_at']) }}

),

later as (

    {{ later_events('people', 'record_key', ['added_to_cart', 'checkout_started']) }}

),

browsed as (

    select
        people.*,
        later.later_at as carted_at
    from people
    left join later on people.record_key = later.record_key

)

{{ flow_candidates(
    'browsed',
    trigger_key='trigger_event_id',
    superseded_if='carted_at > occurred_at or last_order_at > occurred_at',
    filters={
        'names_brand': json_text('properties', ['brand']) ~ ' is not null',
    },
    context=told_of_product({'store_name': 'store_name'}),
) }}
