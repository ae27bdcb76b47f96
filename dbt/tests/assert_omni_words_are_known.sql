-- Returns rows when OMNI gave a reason or a reward type that no seed has: the event is kept, and the word waits for a row.
with

events as (

    select * from {{ ref('stg_omni__events') }}

),

words as (

    select
        omni_event,
        'reason' as kind,
        reason as word
    from events
    where reason is not null
    union all
    select
        omni_event,
        'reward_type' as kind,
        lower(reward_type) as word
    from events
    where reward_type is not null

)

select
    words.omni_event,
    words.kind,
    words.word,
    count(*) as times
from words
left join {{ ref('omni_reasons') }} as reasons
    on words.kind = 'reason' and words.omni_event = reasons.omni_event and words.word = reasons.reason
left join {{ ref('omni_reward_types') }} as types
    on words.kind = 'reward_type' and words.word = types.reward_type
where coalesce(reasons.reason, types.reward_type) is null
group by words.omni_event, words.kind, words.word
