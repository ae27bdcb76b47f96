{#- Those of some rows' keys that this model holds already, each once. All of its past is looked at, however long: only a
    column of eight bytes is read (`key64`), and the few keys are the small side of the join. An `exists` in a `case`
    would build a table of the past instead: thirty times the time at fifty million rows. -#}
{% macro known_keys(column, keys, condition='true') -%}
    select distinct earlier.{{ column }}
    from {{ this }} as earlier
    where earlier.{{ column }} in ({{ keys }}) and {{ condition }}
{%- endmacro %}
