{#- What became of each landed row: `erased` (its person was erased), `quarantined` (it has a problem), `duplicate` (a row with its source key is already
    loaded, in the last days or earlier in this build), or `loaded`. The payload is kept only where it is needed to
    mend the row. -#}
{% macro disposed(judged) -%}
    select
        {{ without_payload('judged') }},
        case when judged.problem is not null then judged.payload end as rejected_payload,
        case
            when {{ is_erased('judged.payload') }} then 'erased'
            when judged.problem is not null then 'quarantined'
            when judged.source_key is not null and row_number() over (
                partition by judged.source_key, judged.problem is null order by judged.seq, judged.row_no
            ) > 1 then 'duplicate'
            {%- if is_incremental() %}
            when exists (
                select 1 from {{ this }} as earlier
                where earlier.source_key = judged.source_key
                    and earlier.disposition = 'loaded'
                    and earlier.received_at >= {{ as_of() }} - interval '{{ var("duplicate_lookback_days") }} days'
            ) then 'duplicate'
            {%- endif %}
            else 'loaded'
        end as disposition
    from {{ judged }} as judged
{%- endmacro %}
