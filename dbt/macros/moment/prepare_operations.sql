{#- Make the builder's own tables where they are missing: on every run, and by name before the first moment. -#}
{% macro prepare_operations() -%}
    {%- if execute -%}
    {%- set statements -%}
    create schema if not exists ops;
    create table if not exists ops.model_cursors (model varchar, build_no bigint, upto_seq bigint);
    create table if not exists ops.landing_files (
        first_seq bigint, last_seq bigint, stream varchar, path varchar, row_count bigint
    );
    create table if not exists ops.landed_batches (seq bigint, stream varchar, row_count bigint);
    create table if not exists ops.landing_rewrites (last_number bigint);
    create table if not exists ops.moments (
        build_no bigint, as_of timestamp, upto_seq bigint, lane varchar, finished boolean
    );
    create table if not exists ops.salt (salt varchar, salt_id varchar);
    create table if not exists ops.deployments (fingerprint varchar, deployed_at timestamp);
    create table if not exists ops.switches (switch_name varchar, is_on boolean, since timestamp);
    create table if not exists ops.flow_settings (
        flow_name varchar, flow_version varchar, status varchar, active_since timestamp, display_name varchar,
        kind varchar, trigger_event varchar, window_seconds bigint, channels varchar, destination varchar,
        reentry_days integer, concurrent boolean, max_duration_seconds bigint, holdout_percent integer,
        rank integer, email_unless_opted_out boolean, grace_seconds bigint, settings varchar
    );
    {#- what a warehouse that was made earlier lacks; each moment fills the table anew -#}
    {%- for column in ['utm_campaign', 'from_name', 'from_address', 'exits', 'recheck', 'programme', 'offer'] %}
    alter table ops.flow_settings add column if not exists {{ column }} varchar;
    {%- endfor %}
    alter table ops.flow_settings add column if not exists conversion_seconds bigint;
    {%- endset -%}
    {%- do run_query(statements) -%}
    {%- endif -%}
{%- endmacro %}
