{#- True when two places lie at most so many miles or kilometres apart, as the crow flies. A place is a relation with the
    columns `latitude` and `longitude`, or a list of the two in degrees; one that is not known is near nothing. -#}
{% macro within_distance(place, other, n, unit) -%}
    {#- the mean radius of the earth -#}
    {%- set name = (unit ~ '') | lower | replace('s', '') -%}
    {%- set radius = {'mile': 3958.7613, 'kilometre': 6371.0088, 'kilometer': 6371.0088, 'km': 6371.0088}.get(name) -%}
    {%- if not radius -%}
    {{ wrong_operator('within_distance', "'" ~ unit ~ "' is no unit", 'Write miles or kilometres') }}
    {%- endif -%}
    {%- set latitude, longitude = degrees_told(place) -%}
    {%- set other_latitude, other_longitude = degrees_told(other) -%}
    ((2 * {{ radius }} * asin(sqrt(least(1,
        power(sin(radians({{ other_latitude }} - {{ latitude }}) / 2), 2)
        + cos(radians({{ latitude }})) * cos(radians({{ other_latitude }}))
        * power(sin(radians({{ other_longitude }} - {{ longitude }}) / 2), 2)
    ))) <= {{ number_told('within_distance', n) }}) is true)
{%- endmacro %}
