{#- Move the model's cursor, in the transaction that commits its rows. Views read nothing and need none. -#}
{% macro record_cursor() -%}
    {%- if execute and config.get('materialized') in ['incremental', 'table'] -%}
        insert into ops.model_cursors (model, build_no, upto_seq)
        values ('{{ model.name }}', {{ build_no() }}, {{ var('upto_seq') | int }})
    {%- endif -%}
{%- endmacro %}
