{#- An e-mail address as it is compared and written to: trimmed, lower case; null where it is not one. -#}
{% macro clean_email(column) -%}
    case
        when lower(trim({{ column }})) like '%_@_%._%' and lower(trim({{ column }})) not like '% %'
            then lower(trim({{ column }}))
    end
{%- endmacro %}
