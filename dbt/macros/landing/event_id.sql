{#- The id of an event: a hash of what makes it one event, so that a repeated delivery is the same event. -#}
{% macro event_id(parts) -%}
    md5(concat_ws('|', {{ parts | join(', ') }}))
{%- endmacro %}
