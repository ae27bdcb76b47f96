{#- The first of the named conditions that holds, as text; null when the row is good.
    Takes pairs of a sentence that names field and fix, and the SQL condition under which the row can't be used. -#}
{% macro first_problem(checks) -%}
    case
    {%- for sentence, condition in checks %}
        when {{ condition }} then '{{ sentence }}'
    {%- endfor %}
    end
{%- endmacro %}
