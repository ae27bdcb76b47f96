-- Returns rows when staging refused rows of a batch that quarantine does not show, or the reverse.
with

refused as (

    {%- for name in [
        'flowhub__locations', 'flowhub__customers', 'flowhub__orders', 'flowhub__inventory', 'jane__carts',
        'omni__events', 'shopify__webhooks', 'partners__events', 'messaging__feedback', 'perennial__receipts',
        'perennial__erasures',
    ] %}
    select
        seq,
        row_no
    from {{ ref('base_' ~ name) }}
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
