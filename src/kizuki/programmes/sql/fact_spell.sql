-- One member and one kind of spell in force on $as_of that programmes read, as known that day; ended public assistance likewise.
SELECT f.household_id, f.person_id, s.kind, s.status, MAX(s.amount) AS amount
FROM fact_member AS f
JOIN spell AS s ON s.person_id = f.person_id
WHERE s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
  AND s.known_from <= $as_of AND (s.known_to IS NULL OR s.known_to > $as_of)
GROUP BY f.household_id, f.person_id, s.kind, s.status
UNION ALL
SELECT f.household_id, f.person_id, 'public_assistance_ended' AS kind, CAST(NULL AS VARCHAR) AS status, CAST(NULL AS DOUBLE) AS amount
FROM fact_member AS f
JOIN spell AS s ON s.person_id = f.person_id AND s.kind = 'public_assistance'
WHERE s.valid_to <= $as_of AND s.valid_to > CAST($as_of - INTERVAL 12 MONTH AS DATE)
  AND s.known_from <= $as_of AND (s.known_to IS NULL OR s.known_to > $as_of)
GROUP BY f.household_id, f.person_id
