with

landed as (

    {{ landed('perennial', ['receipts', 'notice_receipts']) }}

),

judged as (

    {{ judged('landed') }}

),

parsed as (

    {{ parsed_receipts('judged', {'enrollment_id': 'enrollment_id'}) }}

)

{{ disposed('parsed') }}
