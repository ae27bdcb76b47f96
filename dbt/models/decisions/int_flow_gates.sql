{{ config(materialized='table') }}

{{ gates_of(ref('int_flow_candidates')) }}
