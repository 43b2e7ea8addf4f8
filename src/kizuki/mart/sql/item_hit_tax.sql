-- One row per adult of the child's household and tax measure. An adult without a readable tax record leaves the household unknown:
-- the row then carries no value but the reason (moved_in: taxed elsewhere; not_entered: undeclared or no record).
WITH adult AS (
  SELECT
    c.person_id,
    m.person_id AS adult_id,
    MAX(s.status) AS tax_class,
    MAX(s.amount) AS income_yen,
    MAX(s.delivery_id) AS delivery_id,
    MAX(s.record_id) AS record_id,
    MAX(s.valid_from) AS observed_on
  FROM item_child AS c
  JOIN item_member AS m ON m.household_id = c.household_id AND m.is_adult = 1
  LEFT JOIN spell AS s
    ON s.person_id = m.person_id AND s.kind = 'tax_year'
    AND s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
    AND s.known_from <= $known AND (s.known_to IS NULL OR s.known_to > $known)
  GROUP BY c.person_id, m.person_id
)
SELECT
  a.person_id,
  d.item,
  CASE d.measure
    WHEN 'tax_free' THEN CASE a.tax_class WHEN '非課税' THEN CAST(1 AS DOUBLE) WHEN '課税' THEN CAST(0 AS DOUBLE) END
    WHEN 'undeclared' THEN CASE WHEN a.tax_class = '未申告' THEN CAST(1 AS DOUBLE) WHEN a.tax_class IS NOT NULL THEN CAST(0 AS DOUBLE) END
    ELSE a.income_yen
  END AS value,
  a.tax_class AS code,
  CASE
    WHEN d.measure = 'undeclared' AND a.tax_class IS NOT NULL THEN 'known'
    WHEN d.measure = 'tax_free' AND a.tax_class IN ('非課税', '課税') THEN 'known'
    WHEN d.measure = 'income' AND a.income_yen IS NOT NULL THEN 'known'
    ELSE 'not_entered'
  END AS state,
  CASE WHEN a.tax_class = '転入不明' THEN 'moved_in' ELSE 'not_entered' END AS why,
  'municipal_tax' AS source,
  a.delivery_id,
  a.record_id,
  COALESCE(a.observed_on, $as_of) AS observed_on
FROM adult AS a
JOIN item_measure AS d ON d.of = 'tax'
