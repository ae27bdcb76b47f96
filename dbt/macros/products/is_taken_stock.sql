{#- True for stock in the rooms and of the purchase categories that the settings take; also of rows that landed before
    the settings were as they are. -#}
{% macro is_taken_stock(room_id, purchase_category) -%}
    (
        true
        {%- if var('flowhub_room_ids') %}
        and lower(replace({{ room_id }}, '-', '')) in ('{{ var("flowhub_room_ids") | map("lower") | join("', '") }}')
        {%- endif %}
        {%- if var('flowhub_purchase_categories') %}
        and lower({{ purchase_category }}) in ('{{ var("flowhub_purchase_categories") | map("lower") | join("', '") }}')
        {%- endif %}
    )
{%- endmacro %}
