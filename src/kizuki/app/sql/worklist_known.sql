-- Children an office already works with today: one row per person × source (要対協; 生活保護 of anybody in the household).
WITH home AS (
  SELECT person_id, household_id
  FROM household_member
  WHERE known_to IS NULL AND valid_to IS NULL
),
welfare AS (
  SELECT DISTINCT h.household_id
  FROM spell AS s
  JOIN home AS h ON h.person_id = s.person_id
  WHERE s.kind = 'public_assistance' AND s.known_to IS NULL
    AND s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
)
SELECT DISTINCT s.person_id, s.source
FROM spell AS s
WHERE s.kind IN ('council_registration', 'public_assistance') AND s.known_to IS NULL
  AND s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
UNION
SELECT h.person_id, 'public_assistance' AS source
FROM home AS h
JOIN welfare AS w ON w.household_id = h.household_id
