-- Returns rows when an enrollment names no channel, a channel without an address, an address without its channel, or
-- ends before it may begin.
select
    decision_id,
    channels
from {{ ref('int_flow_decisions') }}
where outcome = 'enrolled'
    and (
        coalesce(channels, '') = ''
        or (channels like '%sms%') <> (recipient_phone is not null)
        or (channels like '%email%') <> (recipient_email is not null)
        or expires_at < not_before
        or not_before < decided_at
    )
