{#- What this model holds of the happenings that some rows tell of. The instant comes first: where it is of these days, the
    zone maps leave out all that is older. -#}
{% macro told_before(judged) -%}
    select told.*
    from {{ this }} as told
    where exists (
        select 1 from {{ judged }} as judged
        where judged.occurred_at = told.occurred_at and judged.happening_key = told.happening_key
    )
{%- endmacro %}
