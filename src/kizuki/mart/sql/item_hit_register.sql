-- One row per child × measure that the register alone decides: ages, who lives in the household, change of school.
WITH home AS (
  SELECT
    c.person_id,
    COUNT(m.person_id) AS members,
    SUM(CASE WHEN m.is_adult = 1 THEN 1 ELSE 0 END) AS adults,
    SUM(CASE WHEN m.is_adult = 0 THEN 1 ELSE 0 END) AS children,
    SUM(CASE WHEN m.is_adult = 1 AND m.birth_date > CAST($as_of - INTERVAL 65 YEAR AS DATE) THEN 1 ELSE 0 END) AS adults_under_65,
    SUM(CASE WHEN m.person_id <> c.person_id AND m.birth_date > CAST($as_of - INTERVAL 7 YEAR AS DATE) THEN 1 ELSE 0 END) AS young,
    MAX(CASE WHEN m.person_id <> c.person_id AND m.birth_date = c.birth_date THEN 1 ELSE 0 END) AS same_birth,
    MAX(
      CASE
        WHEN o.relation IN ('子の子') AND m.relation IN ('世帯主', '妻', '夫') THEN 1
        WHEN o.relation IN ('子', '妻の子', '夫の子') AND m.relation IN ('父', '母', '妻の父', '妻の母', '夫の父', '夫の母') THEN 1
        ELSE 0
      END
    ) AS grandparents
  FROM item_child AS c
  JOIN item_member AS o ON o.household_id = c.household_id AND o.person_id = c.person_id
  JOIN item_member AS m ON m.household_id = c.household_id
  GROUP BY c.person_id
), measured AS (
  SELECT person_id, 'age_years' AS measure, CAST(age_years AS DOUBLE) AS value FROM item_child
  UNION ALL
  SELECT person_id, 'age_fy_end' AS measure, CAST(age_fy_end AS DOUBLE) AS value FROM item_child
  UNION ALL
  SELECT person_id, 'school_transition' AS measure, CAST(CASE WHEN age_fy_end IN (7, 13) THEN 1 ELSE 0 END AS DOUBLE) AS value
  FROM item_child
  UNION ALL
  SELECT person_id, 'siblings' AS measure, CAST(children - 1 AS DOUBLE) AS value FROM home
  UNION ALL
  SELECT person_id, 'adults' AS measure, CAST(adults AS DOUBLE) AS value FROM home
  UNION ALL
  SELECT person_id, 'single_adult' AS measure, CAST(CASE WHEN adults = 1 THEN 1 ELSE 0 END AS DOUBLE) AS value FROM home
  UNION ALL
  SELECT person_id, 'young_siblings' AS measure, CAST(young AS DOUBLE) AS value FROM home
  UNION ALL
  SELECT person_id, 'adults_under_65' AS measure, CAST(adults_under_65 AS DOUBLE) AS value FROM home
  UNION ALL
  SELECT person_id, 'multiple_birth' AS measure, CAST(same_birth AS DOUBLE) AS value FROM home
  UNION ALL
  SELECT person_id, 'grandparents' AS measure, CAST(grandparents AS DOUBLE) AS value FROM home
)
SELECT
  h.person_id,
  d.item,
  h.value,
  CAST(NULL AS VARCHAR) AS code,
  'known' AS state,
  CAST(NULL AS VARCHAR) AS why,
  m.source,
  m.delivery_id,
  m.record_id,
  $as_of AS observed_on
FROM measured AS h
JOIN item_measure AS d ON d.measure = h.measure AND d.of = 'register'
JOIN item_member AS m ON m.person_id = h.person_id
