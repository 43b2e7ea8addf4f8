-- One row per programme answered for the child or for the child's household.
WITH home AS (
  SELECT household_id
  FROM household_member
  WHERE person_id = $person_id AND known_to IS NULL AND valid_to IS NULL
)
SELECT
  $person_id AS person_id, e.programme, e.household_id, e.verdict, e.receiving, e.unclaimed, e.reasons, e.unknown
FROM eligibility AS e
JOIN home AS h ON h.household_id = e.household_id
WHERE e.person_id IS NULL OR e.person_id = $person_id
