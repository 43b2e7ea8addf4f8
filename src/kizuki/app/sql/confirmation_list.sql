-- One row per answer that is 不明 for want of a fact: the child it is about, or for a programme of households the head.
WITH home AS (
  SELECT
    household_id,
    MIN(CASE WHEN relation = '世帯主' THEN person_id END) AS head,
    MIN(person_id) AS anyone
  FROM household_member
  WHERE known_to IS NULL AND valid_to IS NULL
  GROUP BY household_id
), asked AS (
  SELECT
    e.programme, e.household_id, e.unknown, e.verdict,
    COALESCE(e.person_id, h.head, h.anyone) AS person_id
  FROM eligibility AS e
  LEFT JOIN home AS h ON h.household_id = e.household_id
  WHERE e.verdict = '不明' AND e.programme IN $programmes AND e.unknown LIKE $fact
)
SELECT a.person_id, a.household_id, a.programme, p.name, p.kana, p.birth_date, a.unknown
FROM asked AS a
JOIN person AS p ON p.person_id = a.person_id AND p.known_to IS NULL AND p.valid_to IS NULL
ORDER BY a.programme, p.kana, a.person_id
LIMIT $most OFFSET $first
