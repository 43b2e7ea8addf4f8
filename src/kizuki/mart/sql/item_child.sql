-- One row per child (0 to 17) resident on $as_of, with the household as known that day.
-- age_fy_end is the age on the 1 April that ends the fiscal year: by law the age reached on its last day (31 March), so that
-- 7 is the first year of primary school and 18 the last year of every "until 18歳年度末" benefit.
SELECT
  p.person_id,
  MIN(m.household_id) AS household_id,
  MIN(p.birth_date) AS birth_date,
  MIN(p.resident_from) AS resident_from,
  MIN(
    CAST(EXTRACT(YEAR FROM $as_of) AS INT) - CAST(EXTRACT(YEAR FROM p.birth_date) AS INT)
    - CASE
        WHEN EXTRACT(MONTH FROM $as_of) * 100 + EXTRACT(DAY FROM $as_of)
          < EXTRACT(MONTH FROM p.birth_date) * 100 + EXTRACT(DAY FROM p.birth_date)
        THEN 1 ELSE 0
      END
  ) AS age_years,
  MIN(
    CAST(EXTRACT(YEAR FROM $as_of) AS INT) + CASE WHEN EXTRACT(MONTH FROM $as_of) >= 4 THEN 1 ELSE 0 END
    - CAST(EXTRACT(YEAR FROM p.birth_date) AS INT)
    - CASE WHEN EXTRACT(MONTH FROM p.birth_date) * 100 + EXTRACT(DAY FROM p.birth_date) > 401 THEN 1 ELSE 0 END
  ) AS age_fy_end
FROM person AS p
LEFT JOIN household_member AS m
  ON m.person_id = p.person_id
  AND m.valid_from <= $as_of AND (m.valid_to IS NULL OR m.valid_to > $as_of)
  AND m.known_from <= $known AND (m.known_to IS NULL OR m.known_to > $known)
WHERE p.valid_from <= $as_of AND (p.valid_to IS NULL OR p.valid_to > $as_of)
  AND p.known_from <= $known AND (p.known_to IS NULL OR p.known_to > $known)
  AND p.resident_status = 'resident'
  AND p.birth_date <= $as_of
  AND p.birth_date > CAST($as_of - INTERVAL 18 YEAR AS DATE)
GROUP BY p.person_id
