-- one row: records the machine joined to a resident who is somebody else, by who the true person is. Absent: without any row in the
-- register. Twin: the resident has the birthday and the 姓 that some record of the true person carries.
WITH wrong AS (
  SELECT source, record_id, person_id, true_person, has_resident FROM outcome
  WHERE joined AND NOT correct AND state = 'auto'
), resident_row AS (
  SELECT g.person_id, p.birth_date, p.family_key, p.family_kana_key
  FROM placed AS g JOIN person_record AS p ON p.source = g.source AND p.record_id = g.record_id
  WHERE g.source = $register
), own_row AS (
  SELECT DISTINCT t.true_person, p.birth_date, p.name_key, p.kana_key
  FROM truth AS t JOIN person_record AS p ON p.source = t.source AND p.record_id = t.record_id
  JOIN wrong AS w ON w.true_person = t.true_person
), twin AS (
  SELECT DISTINCT w.source, w.record_id
  FROM wrong AS w
  JOIN resident_row AS r ON r.person_id = w.person_id
  JOIN own_row AS o ON o.true_person = w.true_person AND o.birth_date = r.birth_date
    AND (SUBSTRING(o.name_key, 1, LENGTH(r.family_key)) = r.family_key
      OR SUBSTRING(o.kana_key, 1, LENGTH(r.family_kana_key)) = r.family_kana_key)
)
SELECT COUNT(*) AS wrong,
  CAST(COALESCE(SUM(CASE WHEN NOT w.has_resident AND t.source IS NOT NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS absent_twin,
  CAST(COALESCE(SUM(CASE WHEN NOT w.has_resident AND t.source IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS absent_person,
  CAST(COALESCE(SUM(CASE WHEN w.has_resident AND t.source IS NOT NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS twin,
  CAST(COALESCE(SUM(CASE WHEN w.has_resident AND t.source IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS other
FROM wrong AS w
LEFT JOIN twin AS t ON t.source = w.source AND t.record_id = w.record_id
