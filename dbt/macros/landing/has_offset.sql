{#- Whether a time, as text in upper case, says how far it is from UTC. A day alone ends in `-05` too, and says nothing. -#}
{% macro has_offset(text) -%}
    {{ matches(text, ':[0-5][0-9].*(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$') }}
{%- endmacro %}
