{#- The month, 1 to 12, that a text such as `05`, `--05`, `2000-05`, `--05-17` or `2000-05-17` names; null for any other. -#}
{% macro month_of(column) -%}
    {%- set digits = "regexp_replace(" ~ column ~ ", '[^0-9]', '', 'g')" -%}
    {%- set month -%}
        case
            when trim({{ column }}) like '--%' then substr({{ digits }}, 1, 2)
            when length({{ digits }}) in (6, 8) then substr({{ digits }}, 5, 2)
            when length({{ digits }}) in (1, 2) then {{ digits }}
        end
    {%- endset -%}
    case when cast(nullif({{ month }}, '') as integer) between 1 and 12 then cast({{ month }} as integer) end
{%- endmacro %}
