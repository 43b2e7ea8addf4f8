-- outcome: one row = one record outside the register whose true person is known: was it joined to a resident, to the right one,
-- is there a right one, does it wait for review, and with which difficulty it came.
WITH resident_truth AS (
  SELECT l.person_id, l.record_id, t.true_person
  FROM link AS l JOIN truth AS t ON t.source = l.source AND t.record_id = l.record_id
  WHERE l.source = $register
), twin AS (
  SELECT DISTINCT a.record_id
  FROM person_record AS a
  JOIN person_record AS b ON b.source = a.source AND b.family_key = a.family_key AND b.birth_date = a.birth_date
    AND b.town_key = a.town_key AND b.block_key = a.block_key AND b.record_id <> a.record_id
  WHERE a.source = $register
), waiting AS (
  SELECT DISTINCT source, record_id FROM review_pair
)
SELECT l.source, l.record_id,
  own.record_id IS NOT NULL AS has_resident,
  res.record_id IS NOT NULL AS joined,
  COALESCE(res.true_person = t.true_person, FALSE) AS correct,
  w.source IS NOT NULL AS waits,
  l.state,
  p.person_no IS NULL AS no_number,
  p.person_no IS NULL AND p.kana_key IS NULL AS kanji_only,
  p.person_no IS NULL AND p.name_key IS NULL AS kana_only,
  p.person_no IS NULL AND p.birth_date IS NULL AS no_birth_date,
  tw.record_id IS NOT NULL AS twins,
  COALESCE(reg.alias_key IS NOT NULL, FALSE) AS alias_name
FROM link AS l
JOIN truth AS t ON t.source = l.source AND t.record_id = l.record_id
JOIN person_record AS p ON p.source = l.source AND p.record_id = l.record_id
LEFT JOIN resident_truth AS own ON own.true_person = t.true_person
LEFT JOIN resident_truth AS res ON res.person_id = l.person_id
LEFT JOIN twin AS tw ON tw.record_id = own.record_id
LEFT JOIN person_record AS reg ON reg.source = $register AND reg.record_id = own.record_id
LEFT JOIN waiting AS w ON w.source = l.source AND w.record_id = l.record_id
WHERE l.source <> $register
