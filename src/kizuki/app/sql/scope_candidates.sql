-- One row per person within the caseworkers' scope: whole = 1 for a child listed by a judgement, 0 for those who live with one.
WITH listed AS (
  SELECT DISTINCT person_id
  FROM judgement
  WHERE verdict IN ('該当', '要確認')
),
home AS (
  SELECT DISTINCT m.household_id
  FROM household_member AS m
  JOIN listed AS l ON l.person_id = m.person_id
  WHERE m.known_to IS NULL AND m.valid_to IS NULL
),
everyone AS (
  SELECT person_id, 1 AS whole
  FROM listed
  UNION ALL
  SELECT m.person_id, 0 AS whole
  FROM household_member AS m
  JOIN home AS h ON h.household_id = m.household_id
  WHERE m.known_to IS NULL AND m.valid_to IS NULL
)
SELECT person_id, MAX(whole) AS whole
FROM everyone
GROUP BY person_id
