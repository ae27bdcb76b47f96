{{ config(materialized='incremental', incremental_strategy='merge', unique_key='identifier_key') }}

with

identifiers as (

    select * from {{ ref('int_identity__record_identifiers') }}

),

records as (

    select * from {{ ref('int_identity__records') }}

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

touched as (

    select identifier_key from identifiers where {{ changed_since() }}
    union
    -- a new name or birth date may contradict what an identifier joined
    select identifiers.identifier_key
    from identifiers
    inner join records on identifiers.record_key = records.record_key
    where {{ changed_since('records.changed_build_no') }}

),

carriers as (

    select
        identifiers.identifier_key,
        identifiers.identifier_type,
        count(*) as record_count,
        count(distinct records.given_name_key) as given_name_count,
        count(distinct records.birth_date) as birth_date_count,
        -- a known record is more than the device itself
        count(*) filter (where records.record_type <> 'device') as known_record_count,
        bool_or(identifiers.is_placeholder) as is_placeholder
    from identifiers
    inner join records on identifiers.record_key = records.record_key
    where identifiers.is_active
        and identifiers.identifier_key in (select identifier_key from touched)
    group by identifiers.identifier_key, identifiers.identifier_type

),

judged as (

    select
        carriers.*,
        case
            when carriers.is_placeholder then 'blocked'
            when carriers.record_count > rules.max_records then 'blocked'
            when rules.link_mode = 'attach' and carriers.known_record_count > 1 then 'blocked'
            when rules.link_mode = 'unless_contradicted'
                and (carriers.given_name_count > 1 or carriers.birth_date_count > 1) then 'links_with_name'
            else 'links'
        end as verdict
    from carriers
    inner join rules on carriers.identifier_type = rules.identifier_type

)

select
    judged.identifier_key,
    judged.identifier_type,
    judged.record_count,
    judged.given_name_count,
    judged.birth_date_count,
    judged.verdict,
    {% if is_incremental() -%}
    case when known.verdict = judged.verdict then known.changed_build_no else {{ build_no() }} end as changed_build_no
    {%- else -%}
    {{ build_no() }} as changed_build_no
    {%- endif %}
from judged
{% if is_incremental() -%}
left join {{ this }} as known
    on judged.identifier_key = known.identifier_key
{%- endif %}
