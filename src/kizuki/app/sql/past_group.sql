-- One row per child of `item_child`: what fairness is looked at by, as known on $known. Nothing of it goes into a score.
SELECT
  c.person_id,
  MIN(c.household_id) AS household_id,
  MIN(c.age_years) AS age_years,
  MIN(c.birth_date) AS birth_date,
  MIN(c.resident_from) AS resident_from,
  MIN(p.sex) AS sex,
  MIN(p.resident_type) AS resident_type,
  MIN(r.town) AS town
FROM item_child AS c
JOIN person AS p
  ON p.person_id = c.person_id
  AND p.valid_from <= $as_of AND (p.valid_to IS NULL OR p.valid_to > $as_of)
  AND p.known_from <= $known AND (p.known_to IS NULL OR p.known_to > $known)
LEFT JOIN residence AS r
  ON r.person_id = c.person_id
  AND r.valid_from <= $as_of AND (r.valid_to IS NULL OR r.valid_to > $as_of)
  AND r.known_from <= $known AND (r.known_to IS NULL OR r.known_to > $known)
GROUP BY c.person_id
