{#- Whether a person is in a table of the company's own warehouse, which knows her by an e-mail, a phone or any other
    identifier: it is cleaned like ours, and one that people share is nobody's. -#}
{% macro is_listed(table, identifier_type, column, person='customer_id') -%}
    {%- set theirs = 'theirs.' ~ column -%}
    {%- set cleaned = {
        'email': clean_email(theirs), 'phone': clean_phone(theirs), 'medical_id': clean_medical_id(theirs),
    }.get(identifier_type, 'cast(' ~ theirs ~ ' as varchar)') -%}
    (({{ person }} in (
        select identifiers.customer_id
        from {{ ref('customer_identifiers') }} as identifiers
        where identifiers.identifier_type = {{ text_told('is_listed', identifier_type) }}
            and not identifiers.is_shared
            and identifiers.identifier_value in (select {{ cleaned }} from {{ table }} as theirs)
    )) is true)
{%- endmacro %}
