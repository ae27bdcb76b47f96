{#- A context with what every message needs to know of its flow: the sender, the offer, and what links carry. The sender's
    name holds `{store|our store}` and the like: what the context tells under `store_name`, `company` and `budtender`, else
    what stands behind the bar. -#}
{% macro with_sender(context, flow) -%}
    {%- set known = {
        'store': json_text(context, ['store_name']), 'company': "'" ~ (var('company') | replace("'", "''")) ~ "'",
        'budtender': json_text(context, ['budtender']),
    } -%}
    {%- set name = namespace(sql=flow ~ '.from_name') -%}
    {%- for placeholder, value in known.items() -%}
        {%- set name.sql = "regexp_replace(" ~ name.sql ~ ", '[{]" ~ placeholder ~ "[|]([^{}]*)[}]', "
            ~ "coalesce(nullif(replace(" ~ value ~ ", '\\', ''), ''), '\\1'), 'g')" -%}
    {%- endfor -%}
    case when {{ context }} = '{}' then '{' else substr({{ context }}, 1, length({{ context }}) - 1) || ',' end
    || substr({{ json_object({
        'from_name': name.sql, 'from_address': flow ~ '.from_address', 'offer': flow ~ '.offer',
        'utm_source': "'perennial'", 'utm_medium': "'flow'", 'utm_campaign': flow ~ '.utm_campaign',
    }) }}, 2)
{%- endmacro %}
