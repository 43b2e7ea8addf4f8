-- One row per fact of the pregnancy that led to the child, from the mother's own record: an adult woman of the household whose
-- notice falls in the ten months before the birth. 若年 is the mother's age at the birth, from the register alone.
SELECT
  c.person_id,
  d.item,
  e.value,
  e.code,
  e.value_state AS state,
  CASE WHEN e.value_state IN ('not_entered', 'not_collected') THEN 'not_entered' END AS why,
  e.source,
  e.delivery_id,
  e.record_id,
  e.happened_on AS observed_on
FROM event AS e
JOIN item_measure AS d ON d.measure = e.kind AND d.of = 'pregnancy'
JOIN item_member AS m ON m.person_id = e.person_id AND m.sex = '2'
JOIN item_child AS c
  ON c.household_id = m.household_id AND c.person_id <> m.person_id
  AND e.happened_on <= c.birth_date AND e.happened_on > CAST(c.birth_date - INTERVAL 10 MONTH AS DATE)
WHERE e.known_from <= $known AND (e.known_to IS NULL OR e.known_to > $known)
UNION ALL
SELECT
  c.person_id,
  d.item,
  CAST(CASE WHEN m.birth_date > CAST(c.birth_date - INTERVAL 20 YEAR AS DATE) THEN 1 ELSE 0 END AS DOUBLE) AS value,
  CAST(NULL AS VARCHAR) AS code,
  'known' AS state,
  CAST(NULL AS VARCHAR) AS why,
  m.source,
  m.delivery_id,
  m.record_id,
  c.birth_date AS observed_on
FROM item_child AS c
JOIN item_member AS o ON o.household_id = c.household_id AND o.person_id = c.person_id
JOIN item_member AS m
  ON m.household_id = c.household_id AND m.sex = '2' AND m.person_id <> c.person_id
  AND (
    (o.relation = '子' AND m.relation IN ('世帯主', '妻'))
    OR (o.relation = '妻の子' AND m.relation = '妻')
    OR (o.relation = '子の子' AND m.relation IN ('子', '子の妻'))
  )
  AND m.birth_date < CAST(c.birth_date - INTERVAL 12 YEAR AS DATE)
JOIN item_measure AS d ON d.of = 'mother'
