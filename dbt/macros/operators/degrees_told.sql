{#- Latitude and longitude of a place as SQL: of a relation, or as an analyst wrote them. -#}
{% macro degrees_told(place) -%}
    {%- if place is string -%}
    {{ return([place ~ '.latitude', place ~ '.longitude']) }}
    {%- endif -%}
    {%- if place | length != 2 or not -90 <= place[0] | float(999) <= 90 or not -180 <= place[1] | float(999) <= 180 -%}
    {{ wrong_operator(
        'within_distance', place ~ ' is no place', 'Write [latitude, longitude] in degrees, such as [39.740, -104.950]'
    ) }}
    {%- endif -%}
    {{ return(['(' ~ place[0] ~ ')', '(' ~ place[1] ~ ')']) }}
{%- endmacro %}
