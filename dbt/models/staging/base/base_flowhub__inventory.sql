with

landed as (

    {{ landed('flowhub', ['inventory']) }}

),

judged as (

    {{ judged('landed') }}

),

records as (

    select
        judged.*,
        {{ json_record('payload', {
            'productId': 'VARCHAR', 'parentProductId': 'VARCHAR', 'variantId': 'VARCHAR', 'sku': 'VARCHAR',
            'locationId': 'VARCHAR', 'roomId': 'VARCHAR', 'productName': 'VARCHAR', 'variantName': 'VARCHAR',
            'parentProductName': 'VARCHAR', 'brand': 'VARCHAR', 'strainName': 'VARCHAR', 'speciesName': 'VARCHAR',
            'customCategoryName': 'VARCHAR', 'type': 'VARCHAR', 'category': 'VARCHAR', 'purchaseCategory': 'VARCHAR',
            'quantity': 'DOUBLE', 'priceInMinorUnits': 'BIGINT', 'terpenes': 'JSON'
        }) }} as record
    from judged

),

parsed as (

    select
        ---------- ids
        seq,
        row_no,
        source_key,
        {{ json_field('record', 'locationId') }} as store_id,
        coalesce({{ json_field('record', 'roomId') }}, '') as room_id,
        {{ json_field('record', 'productId') }} as product_id,
        {{ json_field('record', 'sku') }} as sku,
        concat_ws('|',
            {{ json_field('record', 'locationId') }}, coalesce({{ json_field('record', 'roomId') }}, ''),
            {{ json_field('record', 'productId') }}, {{ json_field('record', 'variantId') }}
        ) as inventory_key,

        ---------- strings
        {{ json_field('record', 'productName') }} as product_name,
        nullif(trim({{ json_field('record', 'brand') }}), '') as brand,
        {{ json_field('record', 'strainName') }} as strain_name,
        {{ json_field('record', 'speciesName') }} as species_name,
        coalesce(
            nullif(trim({{ json_field('record', 'customCategoryName') }}), ''),
            nullif(trim({{ json_field('record', 'type') }}), ''),
            nullif(trim({{ json_field('record', 'category') }}), '')
        ) as category,
        {{ json_field('record', 'purchaseCategory') }} as purchase_category,
        cast({{ json_field('record', 'terpenes') }} as varchar) as terpenes,

        ---------- numerics
        {{ json_field('record', 'quantity', 'decimal(18, 4)') }} as on_hand,
        cast({{ json_field('record', 'priceInMinorUnits', 'decimal(18, 4)') }} / 100 as decimal(18, 2)) as price,

        ---------- timestamps
        received_at,

        problem,
        original_seq,
        original_row_no,
        payload
    from records

)

{{ versioned('parsed', 'inventory_key', remember=['price', 'on_hand']) }}
