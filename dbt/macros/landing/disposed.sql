{#- What became of each landed row: `erased` (its person was erased), `quarantined` (it has a problem), `duplicate` (a row
    with its source key is already loaded, however long ago, or earlier in this build), or `loaded`. The payload is kept
    only where it is needed to mend the row. -#}
{% macro disposed(judged) -%}
    select
        {{ without_payload('keyed') }},
        case when keyed.problem is not null then keyed.payload end as rejected_payload,
        case
            when {{ is_erased('keyed.payload') }} then 'erased'
            when keyed.problem is not null then 'quarantined'
            when keyed.delivery_key is not null and row_number() over (
                partition by keyed.delivery_key, keyed.problem is null order by keyed.seq, keyed.row_no
            ) > 1 then 'duplicate'
            {%- if is_incremental() %}
            when known.delivery_key is not null then 'duplicate'
            {%- endif %}
            else 'loaded'
        end as disposition
    from (select judged.*, {{ key64('judged.source_key') }} as delivery_key from {{ judged }} as judged) as keyed
    {%- if is_incremental() %}
    left join (
        {{ known_keys('delivery_key', 'select ' ~ key64('source_key') ~ ' from ' ~ judged, "disposition = 'loaded'") }}
    ) as known
        on keyed.delivery_key = known.delivery_key
    {%- endif %}
{%- endmacro %}
