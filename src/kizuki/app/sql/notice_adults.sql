-- One row per person of the table `asked`: the register's last word on them, the household they live in now, and their part in it.
WITH home AS (
  SELECT household_id, person_id, relation
  FROM household_member
  WHERE known_to IS NULL AND valid_to IS NULL
),
bringing_up AS (
  SELECT DISTINCT k.related_id AS person_id
  FROM kinship AS k
  JOIN person AS c ON c.person_id = k.person_id AND c.known_to IS NULL AND c.valid_to IS NULL
  WHERE k.kind IN ('parent', 'guardian') AND k.together AND k.valid_to IS NULL
    AND c.birth_date > $born_after AND c.resident_status = 'resident'
),
waiting AS (
  SELECT DISTINCT person_id FROM review_case WHERE state = 'waiting'
),
receiving AS (
  SELECT DISTINCT person_id
  FROM spell
  WHERE kind = 'single_parent_allowance_recipient' AND known_to IS NULL AND valid_from <= $as_of
    AND (valid_to IS NULL OR valid_to > $as_of)
)
SELECT
  p.person_id, MAX(p.resident_status) AS status, MIN(h.household_id) AS household_id, MAX(p.birth_date) AS birth_date,
  MAX(CASE WHEN h.relation = '世帯主' THEN 1 ELSE 0 END) AS head,
  MAX(CASE WHEN b.person_id IS NULL THEN 0 ELSE 1 END) AS parent,
  MAX(CASE WHEN w.person_id IS NULL THEN 0 ELSE 1 END) AS pending,
  MAX(CASE WHEN r.person_id IS NULL THEN 0 ELSE 1 END) AS receiver
FROM asked AS a
JOIN person AS p ON p.person_id = a.person_id
LEFT JOIN home AS h ON h.person_id = p.person_id
LEFT JOIN bringing_up AS b ON b.person_id = p.person_id
LEFT JOIN waiting AS w ON w.person_id = p.person_id
LEFT JOIN receiving AS r ON r.person_id = p.person_id
WHERE p.known_to IS NULL AND p.valid_to IS NULL
GROUP BY p.person_id
