{#- A phone number of the North American plan as E.164; null where it is not one. Numbers of other countries keep
    their digits when they come with a plus. -#}
{% macro clean_phone(column) -%}
    {%- set digits = "regexp_replace(" ~ column ~ ", '[^0-9]', '', 'g')" -%}
    case
        when length({{ digits }}) = 10 and substr({{ digits }}, 1, 1) not in ('0', '1') then '+1' || {{ digits }}
        when length({{ digits }}) = 11 and substr({{ digits }}, 1, 1) = '1' then '+' || {{ digits }}
        when trim({{ column }}) like '+%' and length({{ digits }}) between 8 and 15 then '+' || {{ digits }}
    end
{%- endmacro %}
