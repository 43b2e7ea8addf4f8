-- One row per person the sources of a criteria set's 検証の記録 (outcome_rule) could all know from $as_of to $until: only for them
-- does silence mean that nothing began.
SELECT person_id
FROM (
  SELECT g.person_id, g.source
  FROM coverage AS g
  JOIN (SELECT DISTINCT source FROM outcome_rule) AS r ON r.source = g.source
  GROUP BY g.person_id, g.source
  HAVING MIN(g.covered_from) <= $as_of AND MAX(g.covered_until) >= $until
) AS covered
GROUP BY person_id
HAVING COUNT(*) = $sources
