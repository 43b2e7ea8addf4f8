-- Persons whose household an office already works with today: one row per person × source (要対協, 生活保護 of anybody in it).
WITH running AS (
  SELECT DISTINCT person_id, source
  FROM spell
  WHERE kind IN ('council_registration', 'public_assistance') AND known_to IS NULL
    AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
),
home AS (
  SELECT person_id, household_id
  FROM household_member
  WHERE known_to IS NULL AND valid_to IS NULL
)
SELECT person_id, source
FROM running
UNION
SELECT h.person_id, r.source
FROM running AS r
JOIN home AS own ON own.person_id = r.person_id
JOIN home AS h ON h.household_id = own.household_id
