with

landed as (

    {{ landed('perennial', ['order_receipts']) }}

),

judged as (

    {{ judged('landed') }}

),

parsed as (

    {{ parsed_receipts('judged', {
        'push_id': 'enrollment_id', 'cart_id': 'cart_id', 'pos_order_id': 'reference'
    }) }}

)

{{ disposed('parsed') }}
