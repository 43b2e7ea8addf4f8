-- One row: children on a criteria set's list today, and the households they live in, each counted once.
SELECT COUNT(DISTINCT j.person_id) AS children, COUNT(DISTINCT COALESCE(m.household_id, j.person_id)) AS households
FROM judgement AS j
LEFT JOIN household_member AS m ON m.person_id = j.person_id AND m.known_to IS NULL AND m.valid_to IS NULL
WHERE j.criteria = $criteria AND j.rank IS NOT NULL
