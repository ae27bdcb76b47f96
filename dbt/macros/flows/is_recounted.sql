{#- True for what came in the last day under the flows as they are: what an older project looked at is its own affair. -#}
{% macro is_recounted(received_at) -%}
    (
        {{ received_at }} > {{ as_of() }} - interval '1 day'
        and {{ received_at }} > (select max(deployed_at) from {{ source('ops', 'deployments') }})
    )
{%- endmacro %}
