{#- The lists of terpenes taken apart, each by our name for it. -#}
with

records as (

    select
        product_id,
        store_id,
        {{ json_record('terpenes', [{
            'name': 'VARCHAR', 'lowerRange': 'DOUBLE', 'upperRange': 'DOUBLE', 'unitOfMeasure': 'VARCHAR'
        }]) }} as terpenes
    from {{ ref('int_products__mapped') }}
    where terpenes is not null

),

elements as (

    select
        records.product_id,
        records.store_id,
        cast(elements.element_no as integer) as terpene_no,
        nullif(trim({{ json_field('elements.element', 'name') }}), '') as spelling,
        {{ json_field('elements.element', 'lowerRange', 'decimal(18, 4)') }} as lowest,
        {{ json_field('elements.element', 'upperRange', 'decimal(18, 4)') }} as highest,
        {{ json_field('elements.element', 'unitOfMeasure') }} as unit
    from records
    cross join {{ json_elements('records.terpenes') }}

)

select
    elements.product_id,
    elements.store_id,
    elements.terpene_no,
    elements.spelling,
    coalesce(terpenes.terpene, elements.spelling) as terpene,
    terpenes.terpene is not null as is_mapped,
    elements.lowest,
    elements.highest,
    elements.unit
from elements
left join {{ ref('terpenes') }} as terpenes on lower(terpenes.spelling) = lower(elements.spelling)
where elements.spelling is not null
