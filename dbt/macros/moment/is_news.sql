{#- True for the rows that this model has not read yet and this moment may read; `seq` is the row's landing batch. -#}
{% macro is_news(seq='seq', to_the_end=false) -%}
    ({{ seq }} > {{ cursor('upto_seq') }} and {{ seq }} <= {{ var('landed_seq' if to_the_end else 'upto_seq') | int }})
{%- endmacro %}
