{#- A bound of Wilson's score interval, 95 %, of a share: `count` of `total`. `side` is `-` for the lower one and `+` for the
    upper one. Null where there is nobody. (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927, 209-212.) -#}
{% macro wilson_bound(count, total, side) -%}
    {%- set z = '1.959963984540054' -%}
    {%- set x = 'cast(' ~ count ~ ' as double precision)' -%}
    {%- set n = 'nullif(cast(' ~ total ~ ' as double precision), 0)' -%}
    (
        {{ x }} + {{ z }} * {{ z }} / 2
        {{ side }} {{ z }} * sqrt({{ x }} * ({{ n }} - {{ x }}) / {{ n }} + {{ z }} * {{ z }} / 4)
    ) / ({{ n }} + {{ z }} * {{ z }})
{%- endmacro %}
