-- assignment: one row = one record with the anchor of its group (a resident's row, or the first record of a group of outsiders).
WITH anchored AS (
  SELECT source, record_id, source AS anchor_source, record_id AS anchor_id, 'register' AS rule, CAST(NULL AS DOUBLE) AS weight, 'auto' AS state,
    CAST(NULL AS VARCHAR) AS evidence
  FROM resident
  UNION ALL
  SELECT source, record_id, $register AS anchor_source, resident_id AS anchor_id, rule, weight, decision AS state, evidence FROM matched
), grouped AS (
  SELECT o.source, o.record_id, o.cluster_key, o.rule,
    COUNT(*) OVER (PARTITION BY o.cluster_key) AS members,
    FIRST_VALUE(o.source) OVER (PARTITION BY o.cluster_key ORDER BY o.source, o.record_id) AS anchor_source,
    FIRST_VALUE(o.record_id) OVER (PARTITION BY o.cluster_key ORDER BY o.source, o.record_id) AS anchor_id
  FROM outsider AS o
)
SELECT source, record_id, anchor_source, anchor_id, rule, weight, state, evidence FROM anchored
UNION ALL
SELECT source, record_id, anchor_source, anchor_id,
  CASE WHEN members = 1 THEN 'single' ELSE rule END AS rule,
  CAST(NULL AS DOUBLE) AS weight, CASE WHEN members = 1 THEN 'single' ELSE 'auto' END AS state, CAST(NULL AS VARCHAR) AS evidence
FROM grouped
