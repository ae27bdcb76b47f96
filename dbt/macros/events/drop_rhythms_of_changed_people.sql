{#- Take away what is known of the rhythms of people with news: who took back an order would keep the old ones. -#}
{% macro drop_rhythms_of_changed_people() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }} where customer_id in ({{ people_who_bought() }})
    {%- endif -%}
{%- endmacro %}
