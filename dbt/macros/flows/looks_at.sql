{#- The occurrences of looking at something, each with what the one who looked did later: `carted_at`, when the person last
    put something into a cart or began to check out, and her `last_order_at`. -#}
{% macro looks_at(event_names) -%}
    with

    views as (

        {{ with_store(event_names) }}

    ),

    people as (

        {{ with_person('views', ['last_order_at']) }}

    ),

    later as (

        {{ later_events('people', 'record_key', ['added_to_cart', 'checkout_started']) }}

    )

    select
        people.*,
        later.later_at as carted_at
    from people
    left join later on people.record_key = later.record_key
{%- endmacro %}
