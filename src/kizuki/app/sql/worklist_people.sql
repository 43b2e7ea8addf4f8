-- One row per listed child: who it is, and how the household is made up today.
WITH listed AS (
  SELECT p.person_id, p.name, p.kana, p.birth_date, p.sex, m.household_id, m.relation
  FROM person AS p
  LEFT JOIN household_member AS m ON m.person_id = p.person_id AND m.known_to IS NULL AND m.valid_to IS NULL
  WHERE p.person_id IN $people AND p.known_to IS NULL AND p.valid_to IS NULL
),
home AS (
  SELECT
    m.household_id,
    COUNT(*) AS members,
    SUM(CASE WHEN q.birth_date > CAST($as_of AS DATE) - INTERVAL '18' YEAR THEN 0 ELSE 1 END) AS adults
  FROM household_member AS m
  JOIN person AS q ON q.person_id = m.person_id AND q.known_to IS NULL AND q.valid_to IS NULL
  WHERE m.known_to IS NULL AND m.valid_to IS NULL AND m.household_id IN (SELECT household_id FROM listed)
  GROUP BY m.household_id
)
SELECT l.person_id, l.name, l.kana, l.birth_date, l.sex, l.household_id, h.members, h.adults
FROM listed AS l
LEFT JOIN home AS h ON h.household_id = l.household_id
