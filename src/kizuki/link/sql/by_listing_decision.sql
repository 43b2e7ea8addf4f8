-- candidate: one row = one record whose child, by another record of the same list, a reviewer has tied to a resident.
WITH told AS (
  SELECT l.source, l.lead_id, MIN(m.resident_id) AS resident_id
  FROM listing AS l JOIN matched AS m ON m.source = l.source AND m.record_id = l.record_id
  GROUP BY l.source, l.lead_id
)
SELECT l.source, l.record_id, t.resident_id, 'decision_listing' AS rule, CAST(NULL AS DOUBLE) AS weight, 'reviewed' AS decision,
  CAST(NULL AS VARCHAR) AS evidence
FROM listing AS l
JOIN told AS t ON t.source = l.source AND t.lead_id = l.lead_id
LEFT JOIN matched AS m ON m.source = l.source AND m.record_id = l.record_id
WHERE m.source IS NULL
