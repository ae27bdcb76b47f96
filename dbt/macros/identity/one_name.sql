{#- True where two relations with `given_name` and `surname` may write one name: a slip in a given name of four letters or more,
    or a form that was filled in the wrong way round. -#}
{% macro one_name(one, other) -%}
    (
        {{ one }}.given_name = {{ other }}.given_name
        or (
            coalesce({{ one }}.surname = {{ other }}.surname, true)
            and least(length({{ one }}.given_name), length({{ other }}.given_name)) > 3
            and {{ one_slip(one ~ '.given_name', other ~ '.given_name') }}
        )
        or {{ one }}.given_name = {{ other }}.surname
        or {{ other }}.given_name = {{ one }}.surname
    )
{%- endmacro %}
