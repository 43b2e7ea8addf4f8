-- outcome: one row = one record outside the register whose true person is known: was it joined to a resident, to the right one,
-- is there a right one, does it wait for review (beside a right candidate, itself or through a record of its source that is taken
-- to be the same outsider), and with what it came.
WITH resident_known AS (
  SELECT record_id, person_id, true_person FROM placed WHERE source = $register
), own AS (
  SELECT DISTINCT true_person FROM resident_known
), held AS (
  SELECT DISTINCT person_id FROM resident_known
), fitting AS (
  SELECT DISTINCT person_id, true_person FROM resident_known
), waiting AS (
  SELECT p.source, p.record_id, MAX(CASE WHEN r.true_person = k.true_person THEN 1 ELSE 0 END) AS rightly
  FROM review_pair AS p
  JOIN placed AS k ON k.source = p.source AND k.record_id = p.record_id
  LEFT JOIN resident_known AS r ON r.record_id = p.resident_id
  GROUP BY p.source, p.record_id
), led AS (
  SELECT DISTINCT w.source, k.person_id, k.true_person
  FROM waiting AS w
  JOIN placed AS k ON k.source = w.source AND k.record_id = w.record_id
  LEFT JOIN held AS h ON h.person_id = k.person_id
  WHERE w.rightly = 1 AND h.person_id IS NULL
)
SELECT g.source, g.record_id, g.person_id, g.true_person, l.state,
  own.true_person IS NOT NULL AS has_resident,
  h.person_id IS NOT NULL AS joined,
  f.person_id IS NOT NULL AS correct,
  w.source IS NOT NULL AS waits,
  COALESCE(w.rightly = 1, FALSE) OR d.person_id IS NOT NULL AS waits_rightly,
  p.person_no IS NULL AS no_number,
  p.person_no IS NULL AND p.kana_key IS NULL AS kanji_only,
  p.person_no IS NULL AND p.name_key IS NULL AS kana_only,
  p.person_no IS NULL AND p.birth_date IS NULL AS no_birth_date
FROM placed AS g
JOIN link AS l ON l.source = g.source AND l.record_id = g.record_id
JOIN person_record AS p ON p.source = g.source AND p.record_id = g.record_id
LEFT JOIN own ON own.true_person = g.true_person
LEFT JOIN held AS h ON h.person_id = g.person_id
LEFT JOIN fitting AS f ON f.person_id = g.person_id AND f.true_person = g.true_person
LEFT JOIN waiting AS w ON w.source = g.source AND w.record_id = g.record_id
LEFT JOIN led AS d ON d.source = g.source AND d.person_id = g.person_id AND d.true_person = g.true_person
WHERE g.source <> $register
