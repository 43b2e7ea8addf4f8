-- One row per missed check-up of a child that no later attendance of the same check-up made good, and one per attended check-up an
-- item asks the result of (its codes are the occasions): 1 = to be followed up in any way, 0 = 異常なし, blank = not entered.
SELECT
  c.person_id,
  d.item,
  CAST(1 AS DOUBLE) AS value,
  e.code,
  'known' AS state,
  CAST(NULL AS VARCHAR) AS why,
  e.source,
  e.delivery_id,
  e.record_id,
  e.happened_on AS observed_on
FROM event AS e
JOIN item_measure AS d ON d.of = 'missed_checkup' AND e.happened_on > d.window_from AND e.happened_on <= d.window_to
JOIN item_child AS c ON c.person_id = e.person_id
LEFT JOIN event AS later
  ON later.person_id = e.person_id AND later.kind = 'checkup' AND later.happened_on >= e.happened_on
  AND later.happened_on <= $as_of
  AND later.known_from <= $known AND (later.known_to IS NULL OR later.known_to > $known)
  AND SPLIT_PART(later.code, ':', 1) = SPLIT_PART(e.code, ':', 1)
  AND SPLIT_PART(later.code, ':', 2) = '受診'
WHERE e.kind = 'checkup' AND SPLIT_PART(e.code, ':', 2) = '未受診'
  AND e.known_from <= $known AND (e.known_to IS NULL OR e.known_to > $known)
  AND later.person_id IS NULL
UNION ALL
SELECT
  c.person_id,
  d.item,
  CASE
    WHEN SPLIT_PART(e.code, ':', 3) IN ('要経過観察', '要精密', '要支援') THEN CAST(1 AS DOUBLE)
    WHEN SPLIT_PART(e.code, ':', 3) = '異常なし' THEN CAST(0 AS DOUBLE)
  END AS value,
  e.code,
  CASE WHEN SPLIT_PART(e.code, ':', 3) = '' THEN 'not_entered' ELSE 'known' END AS state,
  CASE WHEN SPLIT_PART(e.code, ':', 3) = '' THEN 'not_entered' END AS why,
  e.source,
  e.delivery_id,
  e.record_id,
  e.happened_on AS observed_on
FROM event AS e
JOIN item_measure AS d
  ON d.of = 'checkup_result' AND e.happened_on > d.window_from AND e.happened_on <= d.window_to
  AND (d.code IS NULL OR d.code = SPLIT_PART(e.code, ':', 1))
JOIN item_child AS c ON c.person_id = e.person_id
WHERE e.kind = 'checkup' AND SPLIT_PART(e.code, ':', 2) = '受診'
  AND e.known_from <= $known AND (e.known_to IS NULL OR e.known_to > $known)
