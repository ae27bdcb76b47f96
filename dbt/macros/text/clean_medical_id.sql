{#- A medical id as it is compared: letters and digits in upper case; null where fewer than five are left, which is no id. -#}
{% macro clean_medical_id(column) -%}
    case
        when length(regexp_replace({{ column }}, '[^A-Za-z0-9]', '', 'g')) >= 5
            then upper(regexp_replace({{ column }}, '[^A-Za-z0-9]', '', 'g'))
    end
{%- endmacro %}
