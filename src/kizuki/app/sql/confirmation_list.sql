-- One row per answer that is 不明 for want of a fact: the child it is about, or for a programme of households its oldest member
-- (the relation in the register is not this office's to read).
WITH placed AS (
  SELECT
    m.household_id,
    m.person_id,
    ROW_NUMBER() OVER (PARTITION BY m.household_id ORDER BY q.birth_date, m.person_id) AS place
  FROM household_member AS m
  JOIN person AS q ON q.person_id = m.person_id AND q.known_to IS NULL AND q.valid_to IS NULL
  WHERE m.known_to IS NULL AND m.valid_to IS NULL
), asked AS (
  SELECT e.programme, e.household_id, e.unknown, COALESCE(e.person_id, h.person_id) AS person_id
  FROM eligibility AS e
  LEFT JOIN placed AS h ON h.household_id = e.household_id AND h.place = 1
  WHERE e.verdict = '不明' AND e.programme IN $programmes AND e.unknown LIKE $fact
)
SELECT a.person_id, a.household_id, a.programme, p.name, p.kana, p.birth_date, a.unknown
FROM asked AS a
JOIN person AS p ON p.person_id = a.person_id AND p.known_to IS NULL AND p.valid_to IS NULL
ORDER BY a.programme, p.kana, a.person_id
LIMIT $most OFFSET $first
