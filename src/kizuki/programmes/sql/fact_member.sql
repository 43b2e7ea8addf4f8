-- One resident living on $as_of in a household with a child up to the fiscal year in which it turns 18, or with a pregnant member,
-- with its age and place in it. `children` are those up to 18 at the year's end.
-- age_fy_end is the age on the 1 April that ends the fiscal year: the age reached, by law, on its last day.
WITH resident AS (
  SELECT
    m.household_id,
    p.person_id,
    MIN(m.relation) AS relation,
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
    ) AS age_fy_end,
    MIN(
      CAST(EXTRACT(YEAR FROM $as_of) AS INT) - CAST(EXTRACT(YEAR FROM p.birth_date) AS INT)
      - CASE
          WHEN EXTRACT(MONTH FROM $as_of) * 100 + 1 < EXTRACT(MONTH FROM p.birth_date) * 100 + EXTRACT(DAY FROM p.birth_date)
          THEN 1 ELSE 0
        END
    ) AS age_month_start
  FROM household_member AS m
  JOIN person AS p
    ON p.person_id = m.person_id
    AND p.valid_from <= $as_of AND (p.valid_to IS NULL OR p.valid_to > $as_of)
    AND p.known_from <= $as_of AND (p.known_to IS NULL OR p.known_to > $as_of)
    AND p.resident_status = 'resident'
  WHERE m.valid_from <= $as_of AND (m.valid_to IS NULL OR m.valid_to > $as_of)
    AND m.known_from <= $as_of AND (m.known_to IS NULL OR m.known_to > $as_of)
  GROUP BY m.household_id, p.person_id
), family AS (
  SELECT
    r.household_id,
    SUM(CASE WHEN r.age_fy_end <= 18 AND r.relation NOT IN ('世帯主', '妻', '夫') THEN 1 ELSE 0 END) AS children,
    MAX(CASE WHEN p.person_id IS NOT NULL THEN 1 ELSE 0 END) AS pregnant
  FROM resident AS r
  LEFT JOIN fact_pregnancy AS p ON p.person_id = r.person_id
  GROUP BY r.household_id
)
SELECT
  r.household_id,
  r.person_id,
  r.relation,
  r.age_years,
  r.age_fy_end,
  CASE WHEN r.age_fy_end <= 18 AND r.relation NOT IN ('世帯主', '妻', '夫') THEN 1 ELSE 0 END AS is_child,
  r.age_month_start,
  f.children
FROM resident AS r
JOIN family AS f ON f.household_id = r.household_id AND (f.children > 0 OR f.pregnant = 1)
