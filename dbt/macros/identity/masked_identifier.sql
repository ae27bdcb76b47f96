{#- An identifier as it may stand in a log: enough for who knows the store to recognise it, too little to write to it. -#}
{% macro masked_identifier(type, value) -%}
    case {{ type }}
        when 'email' then substr({{ value }}, 1, 1) || '…@' || split_part({{ value }}, '@', 2)
        else '…' || substr({{ value }}, length({{ value }}) - 1)
    end
{%- endmacro %}
