{{ config(materialized='incremental', incremental_strategy='append') }}

{#- Written on, never over: the traits of each person as a moment found them, where one of them was another than before.
    Of a person who became part of another the last row says that she ended. Cost follows the news. -#}
select
    customer_id,
    {{ as_of() }} as valid_from,
    false as has_ended,
    {%- for trait in trait_columns() %}
    {{ trait }},
    {%- endfor %}
    {{ build_no() }} as build_no
from {{ ref('int_customer_traits') }}
where {{ changed_since() }}

union all

select
    changes.old_customer_id,
    {{ as_of() }},
    true,
    {%- for trait in trait_columns() %}
    null,
    {%- endfor %}
    {{ build_no() }}
from {{ ref('customer_id_changes') }} as changes
where {{ changed_since('changes.build_no') }}
    and changes.old_customer_id not in (select customer_id from {{ ref('int_customer_traits') }})
