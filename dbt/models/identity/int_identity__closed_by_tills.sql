{{ config(materialized='table') }}

{#- Who said no at a till: only a build knows, which has the version before. The destinations are told of these
    addresses as of any other that was closed, so they are named by the landed record that holds them. What is older than
    a day is no news to them; what opened again in this very moment never closed. Cost follows the news. -#}
with

refusals as (

    select
        evidence.seq,
        evidence.row_no,
        evidence.channel,
        row_number() over (
            partition by evidence.channel, evidence.address order by evidence.seq desc, evidence.row_no desc
        ) as recency
    from {{ ref('int_identity__consent_evidence') }} as evidence
    inner join {{ ref('address_consent') }} as consent
        on evidence.channel = consent.channel and evidence.address = consent.address
    where {{ is_news('evidence.seq') }}
        and evidence.basis = 'till_flip'
        and evidence.occurred_at > {{ as_of() }} - interval '1 day'
        and consent.status = 'opted_out'
        and consent.basis = 'till_flip'

)

select
    seq,
    row_no,
    channel,
    {{ build_no() }} as build_no
from refusals
where recency = 1
