{#- Whether a person has had an event, or at least so many; `where` is a condition on the event's columns, such as another
    operator. Put `not` before it for who has not. -#}
{% macro has_done(event, where=none, at_least=1, person='customer_id') -%}
    {%- if not modules.re.match('[a-z0-9_]+$', event ~ '') -%}
    {{ wrong_operator('has_done', "'" ~ event ~ "' is no event's name", 'Write one of the seed event_types') }}
    {%- elif not modules.re.match('[1-9][0-9]*$', at_least ~ '') -%}
    {{ wrong_operator('has_done', "'" ~ at_least ~ "' is no number of times", 'Write a whole number from 1') }}
    {%- endif -%}
    (({{ person }} in (
        select events.customer_id
        from {{ ref('fct_events') }} as events
        where events.customer_id is not null and events.event_name = '{{ event }}'
            {%- if where is not none %} and ({{ where }}) {%- endif %}
        {%- if at_least | int > 1 %}
        group by events.customer_id
        having count(*) >= {{ at_least }}
        {%- endif %}
    )) is true)
{%- endmacro %}
