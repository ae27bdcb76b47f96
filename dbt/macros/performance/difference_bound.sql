{#- A bound of the interval, 95 %, of the difference of two shares, from the bounds of each by `wilson_bound`: the hybrid
    score method, which keeps its promise for few people and for shares near nothing, where the textbook's does not.
    (R. G. Newcombe, Statistics in Medicine 17, 1998, 873-890: method 10.) `side` is `-` or `+`. -#}
{% macro difference_bound(share, other_share, side) -%}
    {%- set near, far = ('low', 'high') if side == '-' else ('high', 'low') -%}
    ({{ share }} - {{ other_share }}) {{ side }} sqrt(
        power({{ share }} - {{ share }}_{{ near }}, 2) + power({{ other_share }}_{{ far }} - {{ other_share }}, 2)
    )
{%- endmacro %}
