{#- The names of the models in `models/flows`, as the dbt plugin `dbt_perennial` found them. -#}
{% macro flow_models() -%}
    {{ return(env_var('PERENNIAL_FLOWS', '').split(',') | reject('equalto', '') | list) }}
{%- endmacro %}
