{#- What the warehouse keeps of the rows that it landed itself and reads only in a rebuild, counted since the last build: a
    build lands its decisions after its last model, so those of builds before this one have landed by now. -#}
{% macro own_rows_kept() -%}
    {%- set since = 'build_no >= ' ~ cursor('build_no') ~ ' and build_no < ' ~ build_no() -%}
    {%- set kept = [
        ('perennial/decisions', ref('int_flow_decisions')), ('perennial/decisions', ref('flow_exits')),
        ('perennial/decisions', ref('int_order_pushes')),
        ('perennial/derived_events', ref('int_derived_events')),
        ('perennial/audience_changes', ref('audience_changes')),
        ('perennial/customer_id_changes', ref('customer_id_changes')),
    ] -%}
    {%- for stream, relation in kept %}
    select
        '{{ stream }}' as stream,
        'loaded' as disposition,
        count(*) as disposed_rows
    from {{ relation }}
    where {{ since }}
    union all
    {%- endfor %}
    -- what was erased is not restored
    select
        source || '/' || stream as stream,
        'erased' as disposition,
        count(*) as disposed_rows
    from (
        {{ landed('perennial', ['decisions', 'derived_events', 'audience_changes', 'customer_id_changes']) }}
    ) as landed
    where {{ is_erased('payload') }}
    group by source || '/' || stream
    union all
    -- each moment is begun once and finished once
    select
        'perennial/moments' as stream,
        'loaded' as disposition,
        2 * (greatest({{ build_no() }}, 1) - greatest({{ cursor('build_no') }}, 1)) as disposed_rows
{%- endmacro %}
