{#- The condition under which texts (of a rule's paths, in order) break it; one that is as it should be is enough. -#}
{% macro breaks_with(rule, texts) -%}
    {%- set there = 'coalesce(' ~ (texts + ['null']) | join(', ') ~ ') is not null' -%}
    {%- set kind = rule.get('is') -%}
    {%- if rule.get('path') == 'payload' -%}
    (landed.said is null or not {{ matches('landed.payload', '^[[:space:]]*[{]') }})
    {%- elif kind == 'there' -%} not ({{ there }})
    {%- elif kind == 'time' -%} ({{ there }} and {{ time_said(texts) }} is null)
    {%- elif kind == 'number' -%} ({{ there }} and {{ number_said(texts) }} is null)
    {%- elif kind == 'object' -%} substr({{ texts[0] }}, 1, 1) <> '{'
    {%- elif rule.between is defined -%}
    {{ number_said(texts) }} not between {{ rule.between[0] }} and {{ rule.between[1] }}
    {%- elif rule.not_ahead is defined -%}
    {{ time_said(texts) }} > landed.received_at + interval '{{ rule.not_ahead }} hours'
    {%- elif rule.one_of is defined -%} lower({{ texts[0] }}) not in ({{ listed_values(rule.one_of) }})
    {%- else -%} ({{ there }} and not ({{ has_form(rule, texts) }}))
    {%- endif -%}
{%- endmacro %}
