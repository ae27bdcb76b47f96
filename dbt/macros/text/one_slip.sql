{#- True for two texts that are equal, or one slip of the finger apart: a letter too many, too few, another one, or two that
    changed places. For few pairs at a time: it is compared letter by letter. -#}
{% macro one_slip(one, other) -%}
    {{ return(adapter.dispatch('one_slip', 'perennial')(one, other)) }}
{%- endmacro %}

{% macro default__one_slip(one, other) -%}
    {#- who takes one letter out of either can make them equal -#}
    ({{ one }} = {{ other }} or (
        abs(length({{ one }}) - length({{ other }})) <= 1
        and exists (
            select 1
            from generate_series(0, length({{ one }})) as mine (place)
            cross join generate_series(0, length({{ other }})) as theirs (place)
            where case mine.place when 0 then {{ one }} else overlay({{ one }} placing '' from mine.place for 1) end
                = case theirs.place when 0 then {{ other }} else overlay({{ other }} placing '' from theirs.place for 1) end
                and (
                    mine.place = theirs.place or mine.place = 0 or theirs.place = 0
                    -- two that changed places: the same letter, one place further on
                    or (
                        abs(mine.place - theirs.place) = 1
                        and substr({{ one }}, mine.place, 1) = substr({{ other }}, theirs.place, 1)
                    )
                )
        )
    ))
{%- endmacro %}

{% macro duckdb__one_slip(one, other) -%}
    (damerau_levenshtein({{ one }}, {{ other }}) <= 1)
{%- endmacro %}
