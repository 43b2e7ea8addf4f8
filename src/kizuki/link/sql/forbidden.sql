-- forbidden: one row = one record and resident a reviewer has told apart; what is said of one record of a list holds for its child.
SELECT source, record_id, resident_id FROM cannot_link
UNION
SELECT l.source, l.lead_id AS record_id, x.resident_id
FROM listing AS l JOIN cannot_link AS x ON x.source = l.source AND x.record_id = l.record_id
