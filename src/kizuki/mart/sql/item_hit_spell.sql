-- One row per spell of a child that an item counts: in force on $as_of, or ended inside the item's window. A spell that ran when
-- the source's data ends (window_to, the day up to which the source says it runs: that is when the value was last seen) and was to end before $as_of may have been renewed since: whether it holds is not yet known.
SELECT
  c.person_id,
  d.item,
  CASE d.part
    WHEN 'amount' THEN s.amount
    WHEN 'detail' THEN TRY_CAST(s.detail AS DOUBLE)
    WHEN 'has_detail' THEN CASE WHEN s.detail IS NULL THEN CAST(0 AS DOUBLE) ELSE CAST(1 AS DOUBLE) END
    ELSE CAST(1 AS DOUBLE)
  END AS value,
  s.status AS code,
  CASE
    WHEN d.of = 'spell' AND s.valid_to <= $as_of THEN 'not_collected'
    WHEN d.part = 'amount' AND s.amount IS NULL THEN 'not_entered'
    WHEN d.part = 'detail' AND TRY_CAST(s.detail AS DOUBLE) IS NULL THEN 'not_entered'
    ELSE 'known'
  END AS state,
  CASE WHEN d.of = 'spell' AND s.valid_to <= $as_of THEN 'feed_late' ELSE 'not_entered' END AS why,
  s.source,
  s.delivery_id,
  s.record_id,
  CASE WHEN d.of = 'ended' THEN s.valid_to ELSE GREATEST(s.valid_from, d.window_to) END AS observed_on
FROM spell AS s
JOIN item_measure AS d
  ON d.measure = s.kind
  AND (d.code IS NULL OR d.code = s.status)
  AND (
    (d.of = 'spell' AND s.valid_from <= $as_of AND (s.valid_to IS NULL OR s.valid_to > d.window_to))
    OR (d.of = 'ended' AND s.valid_to > d.window_from AND s.valid_to <= d.window_to)
  )
JOIN item_child AS c ON c.person_id = s.person_id
WHERE s.known_from <= $known AND (s.known_to IS NULL OR s.known_to > $known)
