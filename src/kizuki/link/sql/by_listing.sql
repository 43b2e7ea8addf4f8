-- candidate: one row = one record of a list whose child was joined by the child's first record there: it goes where that one went.
SELECT l.source, l.record_id, m.resident_id, m.rule, m.weight, m.decision, m.evidence
FROM listing AS l
JOIN matched AS m ON m.source = l.source AND m.record_id = l.lead_id
LEFT JOIN matched AS own ON own.source = l.source AND own.record_id = l.record_id
WHERE own.source IS NULL
