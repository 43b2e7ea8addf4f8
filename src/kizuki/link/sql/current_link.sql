-- current_link: one row = one record with the person it belongs to now, by replay of all events.
WITH last_word AS (
  SELECT e.*, ROW_NUMBER() OVER (PARTITION BY e.source, e.record_id ORDER BY e.seq DESC) AS back
  FROM event AS e WHERE e.kind IN ('link', 'unlink')
)
SELECT source, record_id, person_id, rule, weight, state, evidence FROM last_word WHERE back = 1 AND kind = 'link'
