-- Returns rows when a destination is to be told a trait that there is none of: the spelling in the seed is another one.
select *
from {{ ref('destination_fields') }}
where purpose = 'trait' and field not in ('{{ trait_fields() | join("', '") }}')
