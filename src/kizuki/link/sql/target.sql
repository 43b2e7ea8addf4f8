-- target: one row = one record with the person it belongs to tonight.
SELECT a.source, a.record_id, COALESCE(k.person_id, n.person_id) AS person_id, a.rule, a.weight, a.state, a.evidence
FROM assignment AS a
LEFT JOIN kept AS k ON k.anchor_source = a.anchor_source AND k.anchor_id = a.anchor_id
LEFT JOIN newcomer AS n ON n.anchor_source = a.anchor_source AND n.anchor_id = a.anchor_id
