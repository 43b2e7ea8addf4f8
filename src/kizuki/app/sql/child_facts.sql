-- Every fact of the child as known now, and what is in force for the other members of the household today.
WITH home AS (
  SELECT household_id
  FROM household_member
  WHERE person_id = $person_id AND known_to IS NULL AND valid_to IS NULL
),
member AS (
  SELECT m.person_id
  FROM household_member AS m
  JOIN home AS h ON h.household_id = m.household_id
  WHERE m.known_to IS NULL AND m.valid_to IS NULL AND m.person_id <> $person_id
)
SELECT
  s.person_id, 'spell' AS fact, s.kind, s.status, s.facility, s.detail, s.amount,
  s.valid_from AS starts_on, s.valid_to AS ends_on,
  CAST(NULL AS DOUBLE) AS value, CAST(NULL AS VARCHAR) AS value_state, CAST(NULL AS VARCHAR) AS code,
  s.source, s.delivery_id
FROM spell AS s
WHERE s.person_id = $person_id AND s.known_to IS NULL
UNION ALL
SELECT
  s.person_id, 'spell' AS fact, s.kind, s.status, s.facility, s.detail, s.amount,
  s.valid_from AS starts_on, s.valid_to AS ends_on,
  CAST(NULL AS DOUBLE) AS value, CAST(NULL AS VARCHAR) AS value_state, CAST(NULL AS VARCHAR) AS code,
  s.source, s.delivery_id
FROM spell AS s
JOIN member AS m ON m.person_id = s.person_id
WHERE s.known_to IS NULL AND s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
UNION ALL
SELECT
  e.person_id, 'event' AS fact, e.kind, CAST(NULL AS VARCHAR) AS status, e.facility, CAST(NULL AS VARCHAR) AS detail,
  CAST(NULL AS DOUBLE) AS amount, e.happened_on AS starts_on, CAST(NULL AS DATE) AS ends_on,
  e.value, e.value_state, e.code, e.source, e.delivery_id
FROM event AS e
WHERE e.person_id = $person_id AND e.known_to IS NULL AND e.kind <> 'required_days'
UNION ALL
SELECT
  c.person_id, 'coverage' AS fact, 'coverage' AS kind, CAST(NULL AS VARCHAR) AS status, CAST(NULL AS VARCHAR) AS facility,
  CAST(NULL AS VARCHAR) AS detail, CAST(NULL AS DOUBLE) AS amount, c.covered_from AS starts_on, c.covered_until AS ends_on,
  CAST(NULL AS DOUBLE) AS value, CAST(NULL AS VARCHAR) AS value_state, CAST(NULL AS VARCHAR) AS code,
  c.source, CAST(NULL AS VARCHAR) AS delivery_id
FROM coverage AS c
WHERE c.person_id = $person_id
