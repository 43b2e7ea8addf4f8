-- One row per event of a child that an item counts: item_measure says which kinds, codes and dates.
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
  ON d.measure = e.kind
  AND e.happened_on > d.window_from AND e.happened_on <= d.window_to
  AND (d.code IS NULL OR d.code = e.code)
JOIN item_child AS c ON c.person_id = e.person_id
WHERE d.of = 'event'
  AND e.known_from <= $known AND (e.known_to IS NULL OR e.known_to > $known)
