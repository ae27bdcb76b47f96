with

landed as (

    {{ landed('flowhub', ['orders']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'id': 'VARCHAR', '_id': 'VARCHAR', 'orderId': 'VARCHAR', 'locationId': 'VARCHAR', 'customerId': 'VARCHAR',
            'customerType': 'VARCHAR', 'createdAt': 'VARCHAR', 'createdOn': 'VARCHAR', 'completedOn': 'VARCHAR',
            'orderStatus': 'VARCHAR', 'voided': 'BOOLEAN', 'orderType': 'VARCHAR', 'originalSaleId': 'VARCHAR',
            'budtender': 'VARCHAR', 'currentPoints': 'DOUBLE', 'totals': 'JSON',
            'itemsInCart': [{
                'productId': 'VARCHAR', 'productName': 'VARCHAR', 'title1': 'VARCHAR', 'title2': 'VARCHAR',
                'type': 'VARCHAR', 'category': 'VARCHAR', 'sku': 'VARCHAR', 'brand': 'VARCHAR',
                'quantity': 'DECIMAL(18,4)', 'unitPrice': 'DECIMAL(18,4)',
                'totalPrice': 'DECIMAL(18,4)', 'totalDiscounts': 'DECIMAL(18,4)'
            }]
        }) }} as record
    from judged

),

fields as (

    select
        seq,
        row_no,
        source_key,
        coalesce(
            nullif({{ json_field('record', 'id') }}, ''),
            nullif({{ json_field('record', '_id') }}, ''),
            nullif({{ json_field('record', 'orderId') }}, '')
        ) as order_id,
        {{ json_field('record', 'locationId') }} as store_id,
        nullif({{ json_field('record', 'customerId') }}, '') as flowhub_customer_id,
        nullif({{ json_field('record', 'originalSaleId') }}, '') as original_order_id,
        lower({{ json_field('record', 'orderStatus') }}) as order_status,
        lower({{ json_field('record', 'orderType') }}) as order_type,
        {{ json_field('record', 'budtender') }} as budtender,
        coalesce({{ json_field('record', 'voided', 'boolean') }}, false) as is_voided,
        coalesce(
            {{ utc_timestamp(json_field('record', 'createdAt')) }},
            {{ utc_timestamp(json_field('record', 'createdOn')) }}
        ) as created_at,
        {{ utc_timestamp(json_field('record', 'completedOn')) }} as completed_at,
        cast({{ json_field('record', 'totals') }} as varchar) as totals,
        {{ json_field('record', 'itemsInCart') }} as items,
        received_at,
        landed_stream,
        problem,
        original_seq,
        original_row_no,
        payload
    from records

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        order_id,
        store_id,
        flowhub_customer_id,
        original_order_id,

        ---------- strings
        order_type,
        budtender,
        -- a voided order keeps the status `sold`; a refund points at the sale that it takes back
        case
            when original_order_id is not null then 'refunded'
            when is_voided or order_status in ('cancelled', 'canceled', 'voided') then 'canceled'
            when order_status = 'sold' and completed_at is not null then 'completed'
            else 'created'
        end as status,
        items,

        ---------- numerics; key casing differs between the vendor's documents and its answers
        {{ flowhub_total(['subTotal', 'SubTotal']) }} as subtotal,
        {{ flowhub_total(['totalDiscounts', 'TotalDiscounts']) }} as discount,  -- noqa: LT05
        {{ flowhub_total(['totalTaxes', 'TotalTaxes']) }} as tax,
        {{ flowhub_total(['totalFees', 'TotalFees']) }} as delivery_fee,
        {{ flowhub_total(['finalTotal', 'FinalTotal']) }} as total,

        ---------- timestamps
        created_at,
        completed_at,
        received_at,

        landed_stream,
        problem,
        original_seq,
        original_row_no,
        payload
    from fields

)

{{ versioned('parsed', 'order_id', remember=['status']) }}
