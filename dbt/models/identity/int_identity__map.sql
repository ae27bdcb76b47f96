{{ config(materialized='incremental', incremental_strategy='merge', unique_key='record_key') }}

{#- Cost follows the news: only the components that changed identifier values touch are resolved again. -#}
with recursive

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

identifier_status as (

    select * from {{ ref('int_identity__identifier_status') }}

),

records as (

    select * from {{ ref('int_identity__records') }}

),

changed_identifiers as (

    select identifier_key from identifiers where {{ changed_since() }}
    union
    select identifier_key from identifier_status where {{ changed_since() }}

),

dirty_records as (

    {#- all records of a changed value, not only the new ones: a bridge has a far side -#}
    select record_key from identifiers
    where identifier_key in (select identifier_key from changed_identifiers)
    union
    select record_key from records where {{ changed_since() }}

),

scope as (

    select record_key from dirty_records
    {%- if is_incremental() %}
    union
    select record_key from {{ this }}
    where customer_id in (
        select customer_id from {{ this }} where record_key in (select record_key from dirty_records)
    )
    {%- endif %}

),

links as (

    {#- what ties records together: the identifier, or the identifier with the name where people share it -#}
    select
        identifiers.record_key,
        case identifier_status.verdict
            when 'links' then {{ key64("'=' || identifiers.identifier_key") }}
            else {{ key64("'~' || identifiers.identifier_key || '|' || records.given_name_key") }}
        end as link_key
    from identifiers
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    inner join records on identifiers.record_key = records.record_key
    where identifiers.is_active
        and identifiers.record_key in (select record_key from scope)
        and (
            identifier_status.verdict = 'links'
            or (identifier_status.verdict = 'links_with_name' and records.given_name_key is not null)
        )

),

star as (

    {#- a value on n records is n - 1 edges to the smallest of them -#}
    select distinct
        min(record_key) over (partition by link_key) as hub,
        record_key as spoke
    from links

),

edges as (

    select hub as a, spoke as b from star where hub <> spoke
    union
    select spoke as a, hub as b from star where hub <> spoke

),

scoped_records as (

    select record_key as id from scope

),

{{ connected_components('scoped_records', 'edges') }},

anchored as (

    {#- a person is named after her oldest record, so an id outlives merges, new records and rebuilds -#}
    select
        records.record_key,
        records.node,
        first_value(records.node) over (
            partition by components.component
            order by records.first_seq, records.first_row_no, records.record_key
        ) as anchor_node
    from components
    inner join records on components.id = records.record_key

),

named as (

    select record_key, node, {{ customer_id_of('anchor_node') }} as customer_id
    from anchored

)

select
    named.record_key,
    named.node,
    named.customer_id,
    {% if is_incremental() -%}
    known.customer_id as previous_customer_id,
    {%- else -%}
    cast(null as varchar) as previous_customer_id,
    {%- endif %}
    {{ as_of() }} as changed_at,
    {{ build_no() }} as changed_build_no
from named
{% if is_incremental() -%}
left join {{ this }} as known
    on named.record_key = known.record_key
where named.customer_id is distinct from known.customer_id
{%- endif %}
