{#- The exits of earlier builds. `flow_exits` follows from the decisions, so it can't be referred to from them; what it
    held when the moment began is a fact of the past. -#}
{% macro earlier_exits() -%}
    {%- set relation = none -%}
    {%- if execute and model.resource_type != 'unit_test' -%}
        {%- set relation = adapter.get_relation(database=this.database, schema='marts', identifier='flow_exits') -%}
    {%- endif -%}
    {%- if relation is none -%}
    select cast(null as varchar) as enrollment_id where false
    {%- else -%}
    select distinct enrollment_id from {{ relation }} where build_no < {{ build_no() }}
    {%- endif -%}
{%- endmacro %}
