-- One row per member of the child's household as known now, the child included (also when no household is current).
WITH home AS (
  SELECT household_id
  FROM household_member
  WHERE person_id = $person_id AND known_to IS NULL AND valid_to IS NULL
),
member AS (
  SELECT m.person_id, m.household_id, m.relation
  FROM household_member AS m
  JOIN home AS h ON h.household_id = m.household_id
  WHERE m.known_to IS NULL AND m.valid_to IS NULL
  UNION ALL
  SELECT p.person_id, CAST(NULL AS VARCHAR) AS household_id, CAST(NULL AS VARCHAR) AS relation
  FROM person AS p
  WHERE p.person_id = $person_id AND p.known_to IS NULL AND p.valid_to IS NULL
    AND NOT EXISTS (SELECT 1 FROM home)
)
SELECT
  m.person_id,
  m.household_id,
  m.relation,
  p.name,
  p.kana,
  p.alias_name,
  p.birth_date,
  p.sex,
  p.resident_status,
  p.resident_from,
  r.address,
  r.address_extra,
  p.source,
  p.delivery_id
FROM member AS m
JOIN person AS p ON p.person_id = m.person_id AND p.known_to IS NULL AND p.valid_to IS NULL
LEFT JOIN residence AS r ON r.person_id = m.person_id AND r.known_to IS NULL AND r.valid_to IS NULL
