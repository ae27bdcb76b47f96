{#- The id of the event that somebody entered an audience or left it: flows know it before the event is landed. -#}
{% macro audience_event_id(changes) -%}
    md5(concat_ws(
        '|', {{ changes }}.audience_name, {{ changes }}.customer_id, cast({{ changes }}.changed_at as varchar)
    ))
{%- endmacro %}
