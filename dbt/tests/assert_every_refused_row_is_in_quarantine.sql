-- Returns rows when staging refused rows of a batch that quarantine does not show, or the reverse.
with

refused as (

    {%- for name in judging_models() %}
    select
        seq,
        row_no
    from {{ ref(name) }}
    where disposition = 'quarantined'
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

quarantined as (

    select
        seq,
        row_no
    from {{ ref('quarantine') }}

)

select
    refused.seq as refused_seq,
    quarantined.seq as quarantined_seq
from refused
full outer join quarantined on refused.seq = quarantined.seq and refused.row_no = quarantined.row_no
where refused.seq is null or quarantined.seq is null
