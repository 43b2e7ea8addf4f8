-- One row per sealed child (own mark or by household) for items about 支援措置. A seal kept after leaving the household hides a place
-- and says nothing of the child's life today.
SELECT
  c.person_id,
  d.item,
  CAST(1 AS DOUBLE) AS value,
  s.reason AS code,
  'known' AS state,
  CAST(NULL AS VARCHAR) AS why,
  'resident_register' AS source,
  CAST(NULL AS VARCHAR) AS delivery_id,
  CAST(NULL AS VARCHAR) AS record_id,
  s.sealed_from AS observed_on
FROM seal AS s
JOIN item_child AS c ON c.person_id = s.person_id
JOIN item_measure AS d ON d.of = 'seal'
WHERE s.sealed_from <= $as_of AND s.reason <> 'former_household'
