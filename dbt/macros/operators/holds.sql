{#- The last step of every date operator: what the caller says of a value, never null. The value is a column; or, where it is
    said whose (`person`) or which `status`, the occurrences of an event-like trait, of which one is enough. -#}
{% macro holds(column, person=none, status=none) -%}
    {%- if person is none and status is none -%}
    (({{ caller(column) }}) is true)
    {%- else -%}
    (({{ person or 'customer_id' }} in (
        select occurrences.customer_id
        from {{ ref('trait_events') }} as occurrences
        where occurrences.trait_name = {{ text_told('trait', column) }}
            {%- if status is not none %}
            and occurrences.status in (
                {%- for one in ([status] if status is string else status) -%}
                {{ text_told('status', one) }}{{ ', ' if not loop.last }}
                {%- else -%}
                {{ wrong_operator('status', 'names none', "Name one, such as status=['cancelled'], or leave it out") }}
                {%- endfor -%}
            )
            {%- endif %}
            and ({{ caller('occurrences.occurred_at') }})
    )) is true)
    {%- endif -%}
{%- endmacro %}
