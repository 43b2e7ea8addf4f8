-- One member and one kind of spell in force on $as_of that programmes read, as known that day; ended public assistance and
-- pregnancies told by a notice (until two weeks after the fortieth) likewise.
-- `certain` is 0 for a spell that ran when its source's data ends and was to end before $as_of: it may have been renewed since.
SELECT
  f.household_id, f.person_id, s.kind, s.status, MAX(s.detail) AS detail, MAX(s.amount) AS amount,
  MAX(CASE WHEN s.valid_to <= $as_of THEN 0 ELSE 1 END) AS certain
FROM fact_member AS f
JOIN spell AS s ON s.person_id = f.person_id
LEFT JOIN source_reach AS w ON w.source = s.source
WHERE s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > COALESCE(w.reach, $as_of))
  AND s.known_from <= $as_of AND (s.known_to IS NULL OR s.known_to > $as_of)
GROUP BY f.household_id, f.person_id, s.kind, s.status
UNION ALL
SELECT f.household_id, f.person_id, 'public_assistance_ended' AS kind, CAST(NULL AS VARCHAR) AS status, CAST(NULL AS VARCHAR) AS detail,
  CAST(NULL AS DOUBLE) AS amount, 1 AS certain
FROM fact_member AS f
JOIN spell AS s ON s.person_id = f.person_id AND s.kind = 'public_assistance'
WHERE s.valid_to <= $as_of AND s.valid_to > CAST($as_of - INTERVAL 12 MONTH AS DATE)
  AND s.known_from <= $as_of AND (s.known_to IS NULL OR s.known_to > $as_of)
GROUP BY f.household_id, f.person_id
UNION ALL
SELECT f.household_id, f.person_id, 'pregnancy' AS kind, CAST(NULL AS VARCHAR) AS status, CAST(NULL AS VARCHAR) AS detail,
  CAST(NULL AS DOUBLE) AS amount, 1 AS certain
FROM fact_member AS f
JOIN fact_pregnancy AS p ON p.person_id = f.person_id
