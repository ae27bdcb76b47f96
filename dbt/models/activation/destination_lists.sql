{#- The lists that mirror an audience, as `mirror:` in the audiences' YAML says. -#}
{%- for list in mirrored_lists() %}
select
    '{{ list.destination }}' as destination,
    '{{ list.list_id }}' as list_id,
    '{{ list.audience }}' as audience_name
{{ 'union all' if not loop.last }}
{%- else %}
select
    cast(null as varchar) as destination,
    cast(null as varchar) as list_id,
    cast(null as varchar) as audience_name
where false
{%- endfor %}
