{#- The places of rows that an operator landed again although their record has been seen since they first landed: as that
    very row, under rules that now let it pass, or as a later version. Empty, and free, where nothing was landed again. -#}
{% macro outdated(judged, natural_id) -%}
    select
        again.seq,
        again.row_no
    from {{ judged }} as again
    inner join (
        select {{ natural_id }}, seq, row_no, original_seq, original_row_no from {{ judged }} where problem is null
        {%- if is_incremental() %}
        union all
        select {{ natural_id }}, seq, row_no, original_seq, original_row_no
        from {{ this }}
        where problem is null
            and {{ natural_id }} in (select {{ natural_id }} from {{ judged }} where original_seq < seq)
        {%- endif %}
    ) as seen
        on again.{{ natural_id }} = seen.{{ natural_id }}
        and (seen.seq, seen.row_no) < (again.seq, again.row_no)
        and (seen.original_seq, seen.original_row_no) >= (again.original_seq, again.original_row_no)
    where again.original_seq < again.seq
{%- endmacro %}
