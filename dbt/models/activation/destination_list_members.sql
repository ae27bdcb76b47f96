{#- Who is to be on which list: the members of the audience that it mirrors whom its destination may know by e-mail. -#}
select
    lists.destination,
    lists.list_id,
    lists.audience_name,
    memberships.customer_id,
    profiles.email,
    greatest(memberships.changed_build_no, profiles.changed_build_no) as changed_build_no
from {{ ref('destination_lists') }} as lists
inner join {{ ref('int_memberships') }} as memberships on lists.audience_name = memberships.audience_name
inner join {{ ref('int_destination_profiles') }} as profiles
    on lists.destination = profiles.destination and memberships.customer_id = profiles.customer_id
where memberships.is_member and profiles.may_email
