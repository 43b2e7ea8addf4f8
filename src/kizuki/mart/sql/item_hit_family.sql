-- One row per spell in force or event of somebody else of the child's household: siblings (under 18) or adults.
SELECT
  c.person_id,
  d.item,
  CASE
    WHEN d.part = 'amount' THEN s.amount
    WHEN d.part = 'has_detail' AND s.detail IS NULL THEN CAST(0 AS DOUBLE)
    ELSE CAST(1 AS DOUBLE)
  END AS value,
  s.status AS code,
  CASE WHEN d.part = 'amount' AND s.amount IS NULL THEN 'not_entered' ELSE 'known' END AS state,
  CAST('not_entered' AS VARCHAR) AS why,
  s.source,
  s.delivery_id,
  s.record_id,
  GREATEST(s.valid_from, d.window_to) AS observed_on
FROM spell AS s
JOIN item_measure AS d
  ON d.measure = s.kind AND d.of IN ('sibling_spell', 'adult_spell')
  AND (d.code IS NULL OR d.code = s.status)
JOIN item_member AS m
  ON m.person_id = s.person_id
  AND m.is_adult = CASE WHEN d.of = 'adult_spell' THEN 1 ELSE 0 END
JOIN item_child AS c ON c.household_id = m.household_id AND c.person_id <> m.person_id
WHERE s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > $as_of)
  AND s.known_from <= $known AND (s.known_to IS NULL OR s.known_to > $known)
UNION ALL
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
JOIN item_measure AS d
  ON d.measure = e.kind AND d.of IN ('sibling_event', 'adult_event')
  AND e.happened_on > d.window_from AND e.happened_on <= d.window_to
  AND (d.code IS NULL OR d.code = e.code)
JOIN item_member AS m
  ON m.person_id = e.person_id
  AND m.is_adult = CASE WHEN d.of = 'adult_event' THEN 1 ELSE 0 END
JOIN item_child AS c ON c.household_id = m.household_id AND c.person_id <> m.person_id
WHERE e.known_from <= $known AND (e.known_to IS NULL OR e.known_to > $known)
