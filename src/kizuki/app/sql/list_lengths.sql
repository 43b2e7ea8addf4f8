-- One row per threshold a criteria set's points could have today: children at or above it, and the households they live in. Sums
-- over the whole city; no row is about a child.
SELECT
  t.threshold,
  COUNT(*) AS children,
  COUNT(DISTINCT COALESCE(m.household_id, j.person_id)) AS households
FROM judgement AS j
JOIN (SELECT DISTINCT points AS threshold FROM judgement WHERE criteria = $criteria AND points > 0) AS t ON j.points >= t.threshold
LEFT JOIN household_member AS m ON m.person_id = j.person_id AND m.known_to IS NULL AND m.valid_to IS NULL
WHERE j.criteria = $criteria
GROUP BY t.threshold
ORDER BY t.threshold
