{#- The names of the models in `models/audiences`, as the dbt plugin `dbt_perennial` found them. -#}
{% macro audience_models() -%}
    {{ return(env_var('PERENNIAL_AUDIENCES', '').split(',') | reject('equalto', '') | list) }}
{%- endmacro %}
