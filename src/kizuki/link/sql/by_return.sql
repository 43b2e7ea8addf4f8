-- candidate: one row = one resident whose name, birth date and sex are those of a resident registered earlier under another number:
-- somebody who moved away and came back, or a namesake born the same day. Only ever a question to people: two residents are never
-- joined by machine.
SELECT n.source, n.record_id, o.record_id AS resident_id, 'returned' AS rule, CAST(NULL AS DOUBLE) AS weight, 'review' AS decision,
  CAST(NULL AS VARCHAR) AS evidence
FROM resident AS n
JOIN resident AS o
  ON o.birth_date = n.birth_date AND o.sex = n.sex AND o.record_id <> n.record_id
  AND (o.name_key = n.name_key OR (o.kana_key = n.kana_key AND o.given_key = n.given_key))
JOIN person_record AS np ON np.source = n.source AND np.record_id = n.record_id
JOIN person_record AS op ON op.source = o.source AND op.record_id = o.record_id
LEFT JOIN cannot_link AS c
  ON c.source = n.source AND ((c.record_id = n.record_id AND c.resident_id = o.record_id)
    OR (c.record_id = o.record_id AND c.resident_id = n.record_id))
LEFT JOIN must_link AS m
  ON m.source = n.source AND ((m.record_id = n.record_id AND m.resident_id = o.record_id)
    OR (m.record_id = o.record_id AND m.resident_id = n.record_id))
WHERE (np.known_from > op.known_from OR (np.known_from = op.known_from AND n.record_id > o.record_id))
  AND c.source IS NULL AND m.source IS NULL
