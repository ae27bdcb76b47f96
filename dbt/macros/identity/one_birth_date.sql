{#- True for two birth dates that may be one, written by people: a slip in a digit, or the same year with day and month mixed
    up. A junior is born years later, and twins share the date. -#}
{% macro one_birth_date(one, other) -%}
    (
        extract(year from {{ one }}) = extract(year from {{ other }})
        or {{ one_slip("cast(" ~ one ~ " as varchar)", "cast(" ~ other ~ " as varchar)") }}
    )
{%- endmacro %}
