{#- A phone number as E.164; null where it is not one. What comes with a plus says its country itself. Without one it is of
    the country that the record names, where `calling_codes` has it, else of the North American plan. -#}
{% macro clean_phone(column, country=none) -%}
    {%- set digits = "regexp_replace(" ~ column ~ ", '[^0-9]', '', 'g')" -%}
    case
        when trim({{ column }}) like '+%'
            then case when length({{ digits }}) between 8 and 15 then '+' || {{ digits }} end
        {%- if country %}
        {%- for code, calling_code in var('calling_codes').items() %}
        when upper(trim({{ country }})) = '{{ code }}'
            then case
                when length(ltrim({{ digits }}, '0')) between 6 and 12
                    then '+{{ calling_code }}' || ltrim({{ digits }}, '0')
            end
        {%- endfor %}
        {%- endif %}
        when length({{ digits }}) = 10 and substr({{ digits }}, 1, 1) not in ('0', '1') then '+1' || {{ digits }}
        when length({{ digits }}) = 11 and substr({{ digits }}, 1, 1) = '1' then '+' || {{ digits }}
    end
{%- endmacro %}
