{#- What was told of the people whom this moment computes: of each property the newest word of any of her records. -#}
with

touched as (

    select * from {{ ref('int_traits__touched') }}

),

map as (

    select * from {{ ref('int_identity__map') }}

),

told as (

    select
        touched.customer_id,
        touched.as_of,
        properties.property,
        properties.value,
        properties.value_json,
        properties.said_at,
        row_number() over (
            partition by touched.customer_id, properties.property
            order by properties.said_at desc, properties.record_key
        ) as recency
    from touched
    inner join map on touched.customer_id = map.customer_id
    inner join {{ ref('int_customer_properties') }} as properties on map.record_key = properties.record_key

),

present as (

    select * from told where recency = 1 and value is not null

),

tag_lists as (

    select
        present.customer_id,
        elements.element as tag,
        present.said_at
    from present
    cross join {{ json_list('present.value_json') }}
    where present.property = 'tags'

),

store_groups as (

    -- the groups that the store put her into are tags of the till
    select
        touched.customer_id,
        elements.element as tag
    from touched
    inner join {{ ref('dim_customers') }} as customers on touched.customer_id = customers.customer_id
    cross join {{ json_list('customers.tags') }}
    where customers.tags is not null

),

tags_that_moved as (

    -- a tag that came or went by itself, since the last list of all
    select
        moved.customer_id,
        substr(moved.property, 5) as tag,
        moved.value = 'true' as is_there
    from present as moved
    left join present as lists on moved.customer_id = lists.customer_id and lists.property = 'tags'
    where moved.property like 'tag:%' and (lists.said_at is null or moved.said_at >= lists.said_at)

),

her_tags as (

    select customer_id, tag from store_groups
    union
    select tag_lists.customer_id, tag_lists.tag
    from tag_lists
    where not exists (
        select 1 from tags_that_moved as gone
        where gone.customer_id = tag_lists.customer_id and gone.tag = tag_lists.tag and not gone.is_there
    )
    union
    select customer_id, tag from tags_that_moved where is_there

),

tagged as (

    select
        customer_id,
        '[' || string_agg(cast(to_json(tag) as varchar), ',' order by tag) || ']' as tags
    from her_tags
    where tag <> ''
    group by customer_id

),

values_told as (

    select
        customer_id,
        max(as_of) as as_of,
        max(case when property = 'assigned_budtender' then value end) as assigned_budtender,
        -- a list from which the last was taken is none
        max(case when property = 'pricing_tiers' and replace(value_json, ' ', '') <> '[]' then value_json end)
            as pricing_tiers,
        max(case when property = 'store_credit' then {{ text_as('value', 'decimal(18, 2)') }} end) as store_credit,
        max(case when property = 'cashback_balance' then {{ text_as('value', 'decimal(18, 2)') }} end)
            as cashback_balance,
        max(case when property = 'cashback_expires_at' then {{ utc_timestamp('value') }} end) as cashback_expires_at,
        cast(count(*) filter (where property like 'auto_order:%' and value = 'active') as integer)
            as auto_orders_active,
        '{' || string_agg(cast(to_json(property) as varchar) || ':' || value_json, ',' order by property)
            filter (where property like 'atdata@_%' escape '@') || '}' as atdata,
        '{' || string_agg(cast(to_json(property) as varchar) || ':' || value_json, ',' order by property) filter (
            where property not in (
                'assigned_budtender', 'pricing_tiers', 'store_credit', 'cashback_balance', 'cashback_expires_at', 'tags'
            )
            and property not like 'atdata@_%' escape '@' and property not like 'tag:%'
            and property not like 'auto_order:%'
        ) || '}' as properties
    from present
    group by customer_id

)

select
    touched.customer_id,
    values_told.assigned_budtender,
    values_told.pricing_tiers,
    values_told.store_credit,
    -- what has expired is gone
    cast(case
        when values_told.cashback_expires_at <= touched.as_of then 0
        else values_told.cashback_balance
    end as decimal(18, 2)) as cashback_balance,
    case when values_told.cashback_expires_at > touched.as_of then values_told.cashback_expires_at end
        as cashback_expires_at,
    coalesce(values_told.auto_orders_active, 0) as auto_orders_active,
    tagged.tags,
    values_told.atdata,
    values_told.properties,
    case when values_told.cashback_expires_at > touched.as_of then values_told.cashback_expires_at end as next_change_at
from touched
left join values_told on touched.customer_id = values_told.customer_id
left join tagged on touched.customer_id = tagged.customer_id
