-- candidate: one row = one record whose 宛名番号 is a resident's. A number whose holder has another name and another birth date
-- was mistyped: a person decides.
SELECT o.source, o.record_id, r.record_id AS resident_id, 'person_no' AS rule, CAST(NULL AS DOUBLE) AS weight,
  CASE WHEN o.birth_date <> r.birth_date
        AND COALESCE(o.given_key <> r.given_key, o.given_kana_key <> r.given_kana_key, FALSE)
        AND COALESCE(o.given_kana_key <> r.given_kana_key, TRUE)
        AND COALESCE(o.name_key <> r.name_key, TRUE)
       THEN 'review' ELSE 'auto' END AS decision,
  CAST(NULL AS VARCHAR) AS evidence
FROM record AS o
JOIN resident AS r ON r.person_no = o.person_no
LEFT JOIN cannot_link AS c ON c.source = o.source AND c.record_id = o.record_id AND c.resident_id = r.record_id
LEFT JOIN must_link AS m ON m.source = o.source AND m.record_id = o.record_id
WHERE o.source <> $register AND c.source IS NULL AND m.source IS NULL
