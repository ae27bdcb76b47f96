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
            'quantity': 'DOUBLE', 'priceInMinorUnits': 'BIGINT', 'terpenes': 'JSON', 'productPictureURL': 'VARCHAR',
            'weightTierInformation': [{
                'preTaxPriceInPennies': 'DECIMAL(18,4)', 'pricePerUnitInMinorUnits': 'DECIMAL(18,4)'
            }]
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
        {{ json_field('record', 'productId') }} as pos_product_id,
        {{ product_id_of(
            json_field('record', 'brand'), json_field('record', 'productName'),
            json_field('record', 'parentProductName'), json_field('record', 'variantName'),
            json_field('record', 'productId')
        ) }} as product_id,
        {{ json_field('record', 'sku') }} as sku,
        -- what the source key says before the hash of the content; a pull's marker lists the same keys
        regexp_replace(source_key, ':[0-9a-f]{16}$', '') as inventory_key,

        ---------- strings
        coalesce(
            nullif(trim({{ json_field('record', 'productName') }}), ''),
            nullif(trim({{ json_field('record', 'parentProductName') }}), '')
        ) as product_name,
        nullif(trim({{ json_field('record', 'variantName') }}), '') as variant,
        nullif(trim({{ json_field('record', 'brand') }}), '') as brand,
        nullif(trim({{ json_field('record', 'strainName') }}), '') as strain_name,
        nullif(trim({{ json_field('record', 'speciesName') }}), '') as species_name,
        nullif(trim({{ json_field('record', 'customCategoryName') }}), '') as custom_category,
        nullif(trim({{ json_field('record', 'type') }}), '') as product_type,
        nullif(trim({{ json_field('record', 'category') }}), '') as main_category,
        lower(trim({{ json_field('record', 'purchaseCategory') }})) as purchase_category,
        nullif(trim({{ json_field('record', 'productPictureURL') }}), '') as picture_url,
        cast({{ json_field('record', 'terpenes') }} as varchar) as terpenes,

        ---------- numerics; goods that are priced by weight may have no price of a unit: the lowest tier's counts
        {{ json_field('record', 'quantity', 'decimal(18, 4)') }} as on_hand,
        cast(coalesce(
            {{ json_field('record', 'priceInMinorUnits', 'decimal(18, 4)') }},
            {{ lowest_tier_price(json_field('record', 'weightTierInformation')) }}
        ) / 100 as decimal(18, 2)) as price,
        {{ json_field('record', 'priceInMinorUnits') }} is null
        and {{ lowest_tier_price(json_field('record', 'weightTierInformation')) }} is not null as is_tier_price,

        ---------- timestamps
        received_at,

        landed_stream,
        problem,
        original_seq,
        original_row_no,
        payload
    from records

)

{{ versioned('parsed', 'inventory_key', remember=['price', 'product_id']) }}
