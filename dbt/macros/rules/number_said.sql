{#- The first of some texts that is a number; null where none is: NaN and infinity are none. -#}
{% macro number_said(texts) -%}
    coalesce(
        {%- for text in texts %}
        case
            when {{ matches(text, '^-?[0-9]{1,20}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$') }}
                then cast({{ text }} as double precision)
        end,
        {%- endfor %}
        null
    )
{%- endmacro %}
