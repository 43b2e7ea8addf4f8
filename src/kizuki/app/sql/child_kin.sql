-- One row per person related to the child who lives elsewhere now × kind × what it is known from, newest first.
WITH relation AS (
  SELECT related_id, kind, basis, valid_from, valid_to, source, delivery_id
  FROM kinship
  WHERE person_id = $person_id AND NOT together
)
SELECT
  k.related_id AS person_id, k.kind, k.basis, k.valid_from AS shown_from, k.valid_to AS shown_to,
  p.name, p.birth_date, p.resident_status, k.source, k.delivery_id
FROM relation AS k
JOIN person AS p ON p.person_id = k.related_id AND p.known_to IS NULL AND p.valid_to IS NULL
ORDER BY k.valid_from DESC
