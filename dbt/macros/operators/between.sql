{#- True when the local date of a time is one of those from a first to a last, both included; with an instant in place of
    either date, the time itself is compared with that. -#}
{% macro between(column, first, last, zone=none, person=none, status=none) -%}
    {%- set earliest, latest = time_told('between', first), time_told('between', last) -%}
    {%- if (first ~ '').strip()[:10] > (last ~ '').strip()[:10]
        or ('instant' in earliest and 'instant' in latest and earliest.instant > latest.instant) -%}
    {{ wrong_operator('between', "'" ~ first ~ "' is after '" ~ last ~ "'", 'Write the earlier one first') }}
    {%- endif -%}
    {%- call(value) holds(column, person, status) -%}
    {{ compared('between', value, '>=', first, zone) }} and {{ compared('between', value, '<=', last, zone) }}
    {%- endcall -%}
{%- endmacro %}
