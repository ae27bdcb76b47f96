{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='record_key') }}

{#- Cost follows the news: only the neighbourhoods that changed values or records touch are walked again. Every value
    that may join anybody counts here, so nothing outside of a neighbourhood can change who is who in it.
    The first build walks everything at once, in rounds of its own (`all_components`). -#}
{%- set all_at_once = not is_incremental() and model.resource_type == 'model' and flags.WHICH in ['build', 'run'] -%}
{%- if all_at_once -%}
    {%- set everything = all_components(
        "(select identifiers.record_key, identifiers.identifier_key as link_key"
        ~ " from " ~ ref('int_identity__record_identifiers') ~ " as identifiers"
        ~ " inner join " ~ ref('int_identity__identifier_status') ~ " as identifier_status"
        ~ " on identifiers.identifier_key = identifier_status.identifier_key"
        ~ " where identifiers.is_active and identifier_status.verdict <> 'blocked')",
        into='neighbourhoods_of_all'
    ) -%}
{%- endif -%}
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
    select identifier_key from identifier_status
    where {{ changed_since() }}
        {%- if var('deploying') %}
        -- a moment that is taken up again after a list was mended has been here before, under the same number
        or changed_build_no = {{ build_no() }}
        {%- endif %}

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
    where neighbourhood in (
        select neighbourhood from {{ this }} where record_key in (select record_key from dirty_records)
    )
    {%- endif %}

),

ties as (

    select
        identifiers.record_key as component,
        identifiers.identifier_key as tie
    from identifiers
    inner join identifier_status on identifiers.identifier_key = identifier_status.identifier_key
    where identifiers.is_active
        and identifier_status.verdict <> 'blocked'
        and identifiers.record_key in (select record_key from scope)

),

{% if all_at_once -%}
joined as (

    select
        id,
        min(id) over (partition by component) as component
    from {{ everything }}

)
{%- else -%}
{{ joined_by('joined', 'ties') }}
{%- endif %}

select
    scope.record_key,
    coalesce(joined.component, scope.record_key) as neighbourhood,
    {{ build_no() }} as changed_build_no
from scope
left join joined on scope.record_key = joined.id
