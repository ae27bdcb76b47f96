-- Returns a row when the usual basket of the last 35 days at the point of sale costs less than 5 or more than 500
-- dollars: then FLOWHUB_ORDER_AMOUNT_UNIT names the wrong unit, which no document of Flowhub's settles.
select median_total
from (
    select percentile_cont(0.5) within group (order by total) as median_total
    from {{ ref('fct_orders') }}
    where status = 'completed'
        and channel = 'pos'
        and created_at >= {{ as_of() }} - interval '35 days'
) as baskets
where median_total not between 5 and 500
