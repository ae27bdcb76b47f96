{#- Columns come with a deployment only. Between two of them nothing is compared: it was a tenth of a hot moment. -#}
{% macro duckdb__process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {%- if var('cursors') is not none and not var('deploying') -%}
        {{ return({}) }}
    {%- endif -%}
    {{ return(dbt.default__process_schema_changes(on_schema_change, source_relation, target_relation)) }}
{%- endmacro %}
