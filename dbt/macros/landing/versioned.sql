{#- Like `disposed`, for records that a source shows again and again: `source_key` is id and content, a row is a
    `duplicate` when it equals the version before it (a record that returns to an earlier state is news), and the
    columns named in `remember` come with the value they had in that version, as `previous_<column>`. A row that an operator
    landed again is a `duplicate` too when the record has been seen as it is since: older news takes back no newer. -#}
{% macro versioned(judged, natural_id, remember=[]) -%}
    {%- set columns = ['seq', 'row_no', 'source_key', natural_id] + remember -%}
    select
        {{ without_payload('judged') }},
        case when judged.problem is not null then judged.payload end as rejected_payload,
        case
            when {{ is_erased('judged.payload') }} then 'erased'
            when judged.problem is not null then 'quarantined'
            when history.seq is null or history.previous_source_key = judged.source_key then 'duplicate'
            else 'loaded'
        end as disposition,
        history.previous_source_key is null as is_first_version
        {%- for column in remember %},
        history.previous_{{ column }}
        {%- endfor %}
    from {{ judged }} as judged
    left join (
        select
            seq,
            row_no
            {%- for column in ['source_key'] + remember %},
            lag({{ column }}) over (partition by {{ natural_id }} order by seq, row_no) as previous_{{ column }}
            {%- endfor %}
        from (
            select {{ columns | join(', ') }}
            from {{ judged }} as good
            where problem is null
                and not exists (
                    select 1 from ({{ outdated(judged, natural_id) }}) as outdated
                    where outdated.seq = good.seq and outdated.row_no = good.row_no
                )
            {%- if is_incremental() %}
            union all
            select {{ columns | join(', ') }}
            from (
                select
                    {{ columns | join(', ') }},
                    row_number() over (partition by {{ natural_id }} order by seq desc, row_no desc) as recency
                from {{ this }}
                where disposition = 'loaded'
                    and {{ natural_id }} in (select {{ natural_id }} from {{ judged }})
            ) as latest
            where recency = 1
            {%- endif %}
        ) as versions
    ) as history
        on judged.seq = history.seq and judged.row_no = history.row_no
{%- endmacro %}
