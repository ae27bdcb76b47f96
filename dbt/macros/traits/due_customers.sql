{#- The people whose traits time alone changes by this moment. `int_customer_traits` follows from who is touched, so it
    can't be referred to from there; what it held when the moment began is a fact of the past. -#}
{% macro due_customers() -%}
    {%- set relation = none -%}
    {%- if execute and model.resource_type != 'unit_test' -%}
        {%- set relation = adapter.get_relation(
            database=this.database, schema='traits', identifier='int_customer_traits'
        ) -%}
    {%- endif -%}
    {%- if relation is none -%}
    select cast(null as varchar) as customer_id where false
    {%- else -%}
    select customer_id from {{ relation }} where next_change_at <= {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
