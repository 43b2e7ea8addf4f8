-- One row per person the sources of a criteria set's 検証の記録 (outcome_rule) could all know from $as_of to $until: still a resident
-- on $until and, where records come every month, with one since $lately. Only for them does silence mean that nothing began.
WITH covered AS (
  SELECT g.person_id
  FROM coverage AS g
  JOIN (SELECT DISTINCT source FROM outcome_rule) AS r ON r.source = g.source
  WHERE g.covered_from <= $as_of AND g.covered_until >= $until
  GROUP BY g.person_id
  HAVING COUNT(*) = $sources
),
heard AS (
  SELECT e.person_id
  FROM event AS e
  JOIN (SELECT DISTINCT kind FROM outcome_rule WHERE monthly = 1) AS r ON r.kind = e.kind
  WHERE e.known_to IS NULL AND e.happened_on > $lately AND e.happened_on <= $until
    AND e.value_state IN ('known', 'zero')
  GROUP BY e.person_id
  HAVING COUNT(DISTINCT e.kind) = $monthly
)
SELECT DISTINCT c.person_id
FROM covered AS c
JOIN person AS p
  ON p.person_id = c.person_id
  AND p.known_to IS NULL
  AND p.valid_from <= $until AND (p.valid_to IS NULL OR p.valid_to > $until)
  AND p.resident_status = 'resident'
LEFT JOIN heard AS h ON h.person_id = c.person_id
WHERE $monthly = 0 OR h.person_id IS NOT NULL
