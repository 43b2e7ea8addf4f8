-- The middle band of one criteria set: children not on any list who have some sign of this set (an index inside the app, never
-- shown). max_points orders the chance of being drawn.
SELECT j.person_id, j.max_points
FROM judgement AS j
WHERE j.criteria = $criteria
  AND j.rank IS NULL
  AND j.max_points > 0
  AND NOT EXISTS (SELECT 1 FROM judgement AS o WHERE o.person_id = j.person_id AND o.rank IS NOT NULL)
ORDER BY j.person_id
