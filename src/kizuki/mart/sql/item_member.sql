-- One row per resident living on $as_of in a household that has a child, with what the register says of them.
SELECT
  m.household_id,
  p.person_id,
  MIN(m.relation) AS relation,
  MIN(p.birth_date) AS birth_date,
  MIN(p.sex) AS sex,
  MIN(CASE WHEN p.birth_date > CAST($as_of - INTERVAL 18 YEAR AS DATE) THEN 0 ELSE 1 END) AS is_adult,
  MIN(p.source) AS source,
  MIN(p.delivery_id) AS delivery_id,
  MIN(p.record_id) AS record_id
FROM household_member AS m
JOIN person AS p
  ON p.person_id = m.person_id
  AND p.valid_from <= $as_of AND (p.valid_to IS NULL OR p.valid_to > $as_of)
  AND p.known_from <= $known AND (p.known_to IS NULL OR p.known_to > $known)
  AND p.resident_status = 'resident'
WHERE m.valid_from <= $as_of AND (m.valid_to IS NULL OR m.valid_to > $as_of)
  AND m.known_from <= $known AND (m.known_to IS NULL OR m.known_to > $known)
  AND m.household_id IN (SELECT c.household_id FROM item_child AS c)
GROUP BY m.household_id, p.person_id
