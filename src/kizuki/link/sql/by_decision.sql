-- matched: one row = one record a reviewer has tied to a resident; it beats every rule below.
SELECT o.source, o.record_id, d.resident_id, 'decision' AS rule, CAST(NULL AS DOUBLE) AS weight, 'reviewed' AS decision, CAST(NULL AS VARCHAR) AS evidence
FROM record AS o
JOIN must_link AS d ON d.source = o.source AND d.record_id = o.record_id
JOIN resident AS r ON r.record_id = d.resident_id
WHERE o.source <> $register
