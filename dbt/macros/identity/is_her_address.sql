{#- True for an identifier that is an address of its record's person which may be written to: shown now, not blocked, and
    not given to somebody else since. -#}
{% macro is_her_address(identifiers, identifier_status) -%}
    (
        {{ identifiers }}.identifier_type in ('email', 'phone')
        and {{ identifiers }}.is_active
        and {{ identifier_status }}.verdict <> 'blocked'
        and (
            {{ identifier_status }}.recycled_at is null
            or {{ identifiers }}.first_seen_at >= {{ identifier_status }}.recycled_at
        )
    )
{%- endmacro %}
