-- Returns rows when a weight would count events that are too old to be read.
select
    score,
    event_name
from {{ ref('score_weights') }}
where fades_after_days not between 1 and {{ var('behaviour_days') }}
