{#- The lift in words, in points of a hundred, from the columns of `flow_lift`. -#}
{% macro points_told() -%}
    {%- set told = {} -%}
    {%- for name in ['rate_treated', 'rate_held_out', 'lift_low', 'lift_high'] -%}
        {%- do told.update({name: 'cast(cast(100 * ' ~ name ~ ' as decimal(18, 1)) as varchar)'}) -%}
    {%- endfor -%}
    {{ told.rate_treated }} || ' % bought with the message and ' || {{ told.rate_held_out }}
        || ' % without, a difference of ' || {{ told.lift_low }} || ' to ' || {{ told.lift_high }} || ' points.'
{%- endmacro %}
